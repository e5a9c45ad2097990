// A function in Go without net/http: a third of the size, and a runtime that starts the sooner.
//
//	GOOS=wasip1 GOARCH=wasm go build -o hello.wasm plain.go
//	mayfly deploy hello-go hello.wasm
package main

import (
	"os"
	"strings"
)

func main() {
	name, found := strings.CutPrefix(os.Getenv("QUERY_STRING"), "name=")
	if !found {
		name = "world"
	}
	os.Stdout.WriteString("Content-Type: text/plain; charset=utf-8\n\nHello, " + name + "!")
}
