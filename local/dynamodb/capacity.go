package dynamodb

// consumed is what a request cost.
type consumed struct {
	TableName     string
	CapacityUnits float64
}

func (t *table) consumed(in common, units float64) *consumed {
	if in.ReturnConsumedCapacity != "TOTAL" {
		return nil
	}
	return &consumed{TableName: t.name, CapacityUnits: units}
}

// readUnits is one unit for each 4 KB, half of it where the read may be stale.
// Source: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
func readUnits(bytes int, consistent bool) float64 {
	units := float64(max(1, (bytes+4095)/4096))
	if !consistent {
		units /= 2
	}
	return units
}

// writeUnits is one unit for each 1 KB.
func writeUnits(bytes int) float64 { return float64(max(1, (bytes+1023)/1024)) }
