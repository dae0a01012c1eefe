// Command pulumi-resource-aws is the AWS provider as the Pulumi engine starts
// it, one process for each provider of a program. It asks the embedded cloud for
// a server of its own and lends it this process's life.
package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
)

func main() {
	if err := run(os.Getenv("CROSSREGION_EMBEDDED_CLOUD"), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "pulumi-resource-aws:", err)
		os.Exit(1)
	}
}

// run tells the engine, on out, where its server is, and returns when the cloud
// is gone. The engine kills the process before.
func run(cloud string, out io.Writer) error {
	conn, err := net.Dial("tcp", cloud)
	if err != nil {
		return fmt.Errorf("no embedded cloud at CROSSREGION_EMBEDDED_CLOUD=%q: %w", cloud, err)
	}
	defer conn.Close()
	from := bufio.NewReader(conn)
	port, err := from.ReadString('\n')
	if err != nil {
		return fmt.Errorf("ask the embedded cloud for a server: %w", err)
	}
	if _, err := io.WriteString(out, port); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, from)
	return err
}
