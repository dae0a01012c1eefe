package bench

import "io"

func writePage(w io.Writer, r Result) error { return nil }
