// echo_http1.mjs URL BYTES: sends nothing before the 100; prints status and length of the response.

import http from 'node:http'

const [url, bytes] = process.argv.slice(2)
setTimeout(() => {
  console.log('timed out')
  process.exit(1)
}, 10_000).unref()

const headers = { expect: '100-continue', 'content-length': bytes }
const request = http.request(url, { method: 'POST', headers })
request.on('continue', () => request.end(Buffer.alloc(Number(bytes))))
request.on('error', (error) => console.log(String(error)))
request.on('response', (response) => {
  let length = 0
  response.on('data', (data) => { length += data.length })
  response.on('error', (error) => console.log(String(error)))
  response.on('end', () => {
    console.log(`${response.statusCode} ${length}`)
    request.destroy()
  })
})
request.flushHeaders()
