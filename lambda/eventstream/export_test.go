package eventstream

// Held is how many bytes a Reader holds for frames.
func Held(r *Reader) int { return cap(r.frame) }
