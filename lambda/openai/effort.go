package openai

// effort takes how much the model should reason. "none" is what models do by
// themselves; "minimal" is the least of which they know, "low".
func effort(o *object, name string) string {
	switch e := oneOf(o, name, "none", "minimal", "low", "medium", "high"); e {
	case "none":
		return ""
	case "minimal":
		return "low"
	default:
		return e
	}
}
