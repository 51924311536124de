// upload.mjs URL BYTES TOKEN RUNS: waits for the 100; prints version, status and milliseconds.

import http2 from 'node:http2'

const [url, bytes, token, runs] = process.argv.slice(2)
// Node waits for a 100 for ever.
setTimeout(() => process.exit(1), 30_000).unref()

const session = http2.connect(url, { rejectUnauthorized: false })
const content = Buffer.alloc(Number(bytes))

function upload() {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ':method': 'PUT',
      ':path': new URL(url).pathname,
      'content-length': bytes,
      expect: '100-continue',
      authorization: `Bearer ${token}`,
    }, { endStream: false })
    stream.on('continue', () => stream.end(content))
    stream.on('response', (headers) => {
      stream.on('end', () => {
        stream.destroy()
        resolve(headers[':status'])
      })
      stream.resume()
    })
    stream.on('error', reject)
  })
}

for (let run = 0; run < Number(runs); run++) {
  const started = performance.now()
  const status = await upload()
  console.log(`HTTP_2 ${status} ${Math.round(performance.now() - started)}`)
}
session.close()
