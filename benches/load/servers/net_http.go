// Go's net/http; refuses long uploads by their Content-Length. The first line printed is the address.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
)

const limit = 2 << 20

func upload(response http.ResponseWriter, request *http.Request) {
	if request.ContentLength > limit {
		http.Error(response, "too large", http.StatusRequestEntityTooLarge)
		return
	}
	bytes, _ := io.Copy(io.Discard, request.Body)
	fmt.Fprintf(response, "%d bytes\n", bytes)
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr())
	panic(http.Serve(listener, http.HandlerFunc(upload)))
}
