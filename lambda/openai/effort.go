package openai

// effort takes how much the model should reason. "none" is what models do by
// themselves; "minimal" is the least of which they know, "low".
func effort(o *object, name string) string {
	switch e := value[string](o, name, "a string"); e {
	case "", "none":
		return ""
	case "minimal", "low":
		return "low"
	case "medium":
		return "medium"
	case "high":
		return "high"
	default:
		o.invalid(name, "expected none, minimal, low, medium or high")
		return ""
	}
}
