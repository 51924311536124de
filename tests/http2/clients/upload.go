// upload.go URL BYTES TOKEN RUNS: waits for the 100; prints version, status and milliseconds.
package main

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"
)

func main() {
	size, _ := strconv.Atoi(os.Args[2])
	runs, _ := strconv.Atoi(os.Args[4])
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		TLSClientConfig:       &tls.Config{InsecureSkipVerify: true},
		ForceAttemptHTTP2:     true,
		ExpectContinueTimeout: time.Second,
	}}
	for run := 0; run < runs; run++ {
		started := time.Now()
		request, err := http.NewRequest("PUT", os.Args[1], bytes.NewReader(make([]byte, size)))
		if err != nil {
			panic(err)
		}
		request.Header.Set("Expect", "100-continue")
		request.Header.Set("Authorization", "Bearer "+os.Args[3])
		response, err := client.Do(request)
		if err != nil {
			panic(err)
		}
		io.Copy(io.Discard, response.Body)
		response.Body.Close()
		fmt.Printf("HTTP_%d %d %d\n", response.ProtoMajor, response.StatusCode, time.Since(started).Milliseconds())
	}
}
