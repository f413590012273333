/**
 * A client that sends, and never reads: a request after the other over one connection, for as long as it is let.
 *
 * Arguments: where the desk listens, `http` or `socket`.
 */
import { randomBytes } from "node:crypto"
import { connect } from "node:net"

const [url = "", kind = "http"] = process.argv.slice(2)
const { hostname, port } = new URL(url)

let sent = 0
const body = () => {
  const id = `flood-${process.pid}-${++sent}`
  const payload = { id, customer: "flood" }
  return `${JSON.stringify({ _tag: "Request", id: String(sent), tag: "soak/Desk.submit", headers: [], payload })}\n`
}

const post = () => {
  const text = body()
  return `POST /http HTTP/1.1\r\nHost: soak\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`
}

/** A text frame of a client: its mask is all zeros. */
const frame = () => {
  const text = Buffer.from(body())
  return Buffer.concat([Buffer.from([0x81, 0x80 | 126, text.length >> 8, text.length & 255, 0, 0, 0, 0]), text])
}

const upgrade = [
  "GET /socket HTTP/1.1",
  "Host: soak",
  "Upgrade: websocket",
  "Connection: Upgrade",
  "Sec-WebSocket-Version: 13",
  `Sec-WebSocket-Key: ${randomBytes(16).toString("base64")}`,
  "\r\n"
].join("\r\n")

const flood = () => {
  const socket = connect(Number(port), hostname)
  socket.pause()
  // Nobody looks at what is answered, not even to the upgrade.
  const send = () => {
    if (socket.destroyed) return
    let room = true
    for (let i = 0; i < 100 && room; i++) room = socket.write(kind === "http" ? post() : frame())
    if (room) setImmediate(send)
    else socket.once("drain", send)
  }
  socket.on("connect", () => {
    if (kind !== "http") socket.write(upgrade)
    setTimeout(send, 100)
  })
  // Thrown out, it comes again.
  socket.on("error", () => {})
  socket.on("close", () => setTimeout(flood, 100))
}

flood()
