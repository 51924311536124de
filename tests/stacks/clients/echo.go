// echo.go URL BYTES: sends nothing before the 100; prints the status and the length of the response.
package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"
)

func main() {
	size, _ := strconv.Atoi(os.Args[2])
	transport := &http.Transport{ExpectContinueTimeout: time.Hour}
	client := &http.Client{Timeout: 10 * time.Second, Transport: transport}
	request, err := http.NewRequest("POST", os.Args[1], bytes.NewReader(make([]byte, size)))
	if err != nil {
		panic(err)
	}
	request.Header.Set("Expect", "100-continue")
	response, err := client.Do(request)
	if err != nil {
		fmt.Println(err)
		return
	}
	length, err := io.Copy(io.Discard, response.Body)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(response.StatusCode, length)
}
