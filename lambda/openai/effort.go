package openai

// effort takes how much the model should reason. "none" is what models do by
// themselves; "minimal" is the least of which they know, "low".
func effort(o *object, name string) string {
	switch e := oneOf(o, name, "none", "minimal", "low", "medium", "high", "xhigh", "max"); e {
	case "none":
		return ""
	case "minimal":
		return "low"
	case "xhigh", "max":
		o.set(unsupportedValue(o.path+name, "The models of this service know efforts up to high."))
		return ""
	default:
		return e
	}
}
