// Uploads by net/http and, with prior knowledge, golang.org/x/net/http2.
//
//	go_client h1|h2 [URL BYTES EXPECT TOKEN RUNS]
//
// Command line and output are as in common.py.
package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/http2"
)

func main() {
	variant, job := os.Args[1], os.Args[2:]
	if len(job) > 0 {
		run(variant, job)
		return
	}
	for jobs := bufio.NewScanner(os.Stdin); jobs.Scan(); {
		run(variant, strings.Fields(jobs.Text()))
	}
}

func run(variant string, job []string) {
	size, _ := strconv.Atoi(job[1])
	runs, _ := strconv.Atoi(job[4])
	body := make([]byte, size)
	for done := 0; done < runs; done++ {
		status, err := upload(variant, job[0], body, job[2] == "1", job[3])
		if err != nil {
			for errors.Unwrap(err) != nil {
				err = errors.Unwrap(err)
			}
			fmt.Printf("error:%v\n", err)
		} else {
			fmt.Println(status)
		}
	}
}

func upload(variant, url string, body []byte, expect bool, token string) (int, error) {
	request, err := http.NewRequest("PUT", url, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Authorization", "Bearer "+token)
	transport := &http.Transport{}
	if expect {
		request.Header.Set("Expect", "100-continue")
		transport.ExpectContinueTimeout = time.Second
	}
	defer transport.CloseIdleConnections()
	var via http.RoundTripper = transport
	if variant == "h2" {
		priorKnowledge, err := http2.ConfigureTransports(transport)
		if err != nil {
			return 0, err
		}
		priorKnowledge.AllowHTTP = true
		priorKnowledge.ConnPool = nil
		priorKnowledge.DialTLS = func(network, address string, _ *tls.Config) (net.Conn, error) {
			return net.Dial(network, address)
		}
		defer priorKnowledge.CloseIdleConnections()
		via = priorKnowledge
	}
	response, err := via.RoundTrip(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, response.Body)
	return response.StatusCode, err
}
