/**
 * A server whose WebSockets cannot be used to drown it.
 *
 * HTTP holds a client back that does not read: Node stops reading from it. A WebSocket is read as fast as it sends, and answered
 * whether the answers are taken or not. So each is read at a limited pace here, and cut off when too much is left untaken.
 */
import { createServer, type Server } from "node:http"
import type { Socket } from "node:net"

const bytesPerSecond = 64 * 1024
const untaken = 1024 * 1024
const lookEvery = 20

export const guardedServer = (): Server => {
  const server = createServer()
  server.on("upgrade", (_, stream) => guard(stream as Socket))
  return server
}

const guard = (socket: Socket): void => {
  let before = { at: performance.now(), read: socket.bytesRead }
  const look = setInterval(() => {
    if (socket.writableLength > untaken) return socket.destroy()
    const now = { at: performance.now(), read: socket.bytesRead }
    // One burst may be large: the rest follows when its time has passed.
    if (now.read - before.read > (now.at - before.at) / 1000 * bytesPerSecond) return socket.pause()
    before = now
    return socket.resume()
  }, lookEvery)
  socket.once("close", () => clearInterval(look))
}
