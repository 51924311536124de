// echo_http2.mjs URL BYTES: sends nothing before the 100; prints status and length of the response.

import http2 from 'node:http2'

const [url, bytes] = process.argv.slice(2)
setTimeout(() => {
  console.log('timed out')
  process.exit(1)
}, 10_000).unref()

const session = http2.connect(url)
session.on('error', (error) => console.log(String(error)))
const { pathname } = new URL(url)
const stream = session.request({
  ':method': 'POST',
  ':path': pathname,
  'content-length': bytes,
  expect: '100-continue',
}, { endStream: false })
stream.on('continue', () => stream.end(Buffer.alloc(Number(bytes))))
stream.on('error', (error) => console.log(String(error)))
stream.on('response', (headers) => {
  let length = 0
  stream.on('data', (data) => { length += data.length })
  stream.on('end', () => {
    console.log(`${headers[':status']} ${length}`)
    session.close()
  })
})
