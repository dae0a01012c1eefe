package bench_test

import (
	"testing"

	"github.com/crossregion/crossregion/local/bench"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestPricesTellWhereTheyWereSeen(t *testing.T) {
	p, err := bench.ReadPrices()
	require.NoError(t, err)
	assert.NotEmpty(t, p.AsOf)
	for name, one := range p.Prices {
		assert.Positive(t, one.USD, name)
		assert.NotEmpty(t, one.Source, name)
		assert.Contains(t, []string{"at AWS", "elsewhere", "nowhere"}, one.Seen, name)
	}
	for _, a := range p.Alternatives {
		assert.Positive(t, a.USD, a.Name)
		assert.NotEmpty(t, a.Source, a.Name)
	}
}

func TestBillAddsUpAndMarks(t *testing.T) {
	p, err := bench.ReadPrices()
	require.NoError(t, err)
	b := bench.NewBill(p)
	b.Add("KMS", "kmsKey", 2)
	b.Add("CloudWatch", "dashboard", 1)
	b.Add("CloudWatch", "alarmMetric", 10)
	figures, err := b.Figures("a month")
	require.NoError(t, err)
	require.Len(t, figures, 3)
	assert.Equal(t, "a month: CloudWatch *", figures[0].Name)
	assert.InDelta(t, 4, figures[0].Value, 1e-9)
	assert.Equal(t, "a month: KMS", figures[1].Name, "its price was read at AWS")
	assert.Equal(t, "a month: all *", figures[2].Name)
	assert.InDelta(t, 6, figures[2].Value, 1e-9)
}

func TestBillOfAPriceThatIsMissingIsAnError(t *testing.T) {
	p, err := bench.ReadPrices()
	require.NoError(t, err)
	b := bench.NewBill(p)
	b.Add("KMS", "kmsKeys", 2)
	_, err = b.Figures("a month")
	assert.ErrorContains(t, err, `no price "kmsKeys"`)
}

func TestResourcesAreCounted(t *testing.T) {
	const alarm, check = "aws:cloudwatch/metricAlarm:MetricAlarm", "aws:route53/healthCheck:HealthCheck"
	all := []bench.Made{
		bench.NewMade(alarm, map[string]any{"metricName": "m"}),
		bench.NewMade(alarm, map[string]any{"metricQueries": []any{
			map[string]any{"metric": map[string]any{}}, map[string]any{"metric": map[string]any{}}, map[string]any{"expression": "a/b"},
		}}),
		bench.NewMade(check, map[string]any{"type": "HTTPS"}), bench.NewMade(check, map[string]any{"type": "CALCULATED"}),
	}
	assert.Equal(t, 3, bench.AlarmMetrics(all), "an alarm is billed for each metric, and for no expression")
	assert.Equal(t, 2, bench.Count(all, check))
	assert.Equal(t, 1, bench.Count(all, check, "HTTPS", "HTTPS_STR_MATCH"))
	assert.Equal(t, 8.0, bench.ProbePlaces(all, 0), "a check that names no places is probed from all; a calculated one from none")
	all = append(all, bench.NewMade(check, map[string]any{"type": "HTTPS_STR_MATCH", "regions": []any{"a", "b", "c"}}))
	assert.Equal(t, 11.0, bench.ProbePlaces(all, 0))
	assert.Equal(t, 6.0, bench.ProbePlaces(all, 3))
}
