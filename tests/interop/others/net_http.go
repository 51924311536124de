// Go's net/http, which sends the 100 when the handler first reads. The first line printed is the address.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
)

const limit = 1024

func upload(response http.ResponseWriter, request *http.Request) {
	if status := check(request); status != 0 {
		response.Header().Set("Www-Authenticate", "Bearer")
		http.Error(response, "refused", status)
		return
	}
	if strings.HasPrefix(request.URL.Path, "/handler401/") {
		request.Body.Read(make([]byte, 1))
		http.Error(response, "refused", http.StatusUnauthorized)
		return
	}
	bytes, err := io.Copy(io.Discard, request.Body)
	if err != nil {
		http.Error(response, err.Error(), http.StatusBadRequest)
		return
	}
	fmt.Fprintf(response, "%d bytes\n", bytes)
}

func check(request *http.Request) int {
	path := request.URL.Path
	switch {
	case strings.HasPrefix(path, "/handler401/"):
		return 0
	case strings.HasPrefix(path, "/r417/"):
		return http.StatusExpectationFailed
	case strings.HasPrefix(path, "/r413/") && request.ContentLength > limit:
		return http.StatusRequestEntityTooLarge
	case request.Header.Get("Authorization") != "Bearer s3cr3t":
		return http.StatusUnauthorized
	}
	return 0
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	fmt.Println(listener.Addr())
	panic(http.Serve(listener, http.HandlerFunc(upload)))
}
