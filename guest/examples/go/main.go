// A function in Go: a program that runs once for each request, as CGI has it (docs/languages.md).
//
//	GOOS=wasip1 GOARCH=wasm go build -o hello.wasm main.go
//	mayfly deploy hello-go hello.wasm
//
// The standard library reads the request and writes the answer: net/http/cgi.
package main

import (
	"fmt"
	"net/http"
	"net/http/cgi"
	"os"
)

func main() {
	err := cgi.Serve(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := r.URL.Query().Get("name")
		if name == "" {
			name = "world"
		}
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		fmt.Fprintf(w, "Hello, %s!", name)
	}))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
