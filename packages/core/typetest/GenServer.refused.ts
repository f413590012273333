/** Protocols and uses of a server that must not compile. */
import * as GenServer from "@effect-otp/core/GenServer"
import * as Process from "@effect-otp/core/Process"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Rpc from "effect/rpc/Rpc"
import * as RpcMiddleware from "effect/rpc/RpcMiddleware"
import * as Schema from "effect/Schema"
import { Widened } from "./GenServer.inference.ts"
import { Counter, found, full, linked, mock, readsRef } from "./GenServer.ts"

class NotEnough extends Schema.TaggedError<NotEnough>()("NotEnough", {}) {}
class Boom extends Schema.TaggedError<Boom>()("Boom", {}) {}

// ----------------------------------------------------------------------------
// the protocol
// ----------------------------------------------------------------------------

class Auth extends RpcMiddleware.Service<Auth>()("Auth") {}

GenServer.Service<unknown>()("bad", [
  GenServer.cast("a"),
  // @ts-expect-error two requests are named "a"
  GenServer.call("a", { success: Schema.Finite })
])
GenServer.Service<unknown>()("bad", [
  GenServer.cast("a"),
  // @ts-expect-error a request cannot be named "pid"
  GenServer.cast("pid")
])
GenServer.Service<unknown>()("bad", [
  // @ts-expect-error a request cannot be named "then"
  GenServer.call("then")
])
GenServer.Service<unknown>()("bad", [
  // @ts-expect-error "s" is a stream
  Rpc.make("s", { success: Schema.Finite, stream: true })
])
GenServer.Service<unknown>()("bad", [
  // @ts-expect-error "m" has middleware
  Rpc.make("m").middleware(Auth),
  GenServer.cast("ok")
])
GenServer.Service<unknown>()("bad", [
  // @ts-expect-error not an Rpc
  "a"
])

// ----------------------------------------------------------------------------
// the client
// ----------------------------------------------------------------------------

// @ts-expect-error no payload
found.increment({})
// @ts-expect-error payload missing
found.add()
// @ts-expect-error wrong payload
found.add({ by: "1" })
// @ts-expect-error excess
found.add({ by: 1, to: 2 })
// @ts-expect-error no such request
found.decrement()
// @ts-expect-error the argument of `init` is missing
Counter.server.start()
// @ts-expect-error wrong argument
Counter.server.layer("0")
// @ts-expect-error wrong option
Counter.server.layer(0, { nam: "x" })
// @ts-expect-error `init` takes no argument
Widened.server.layer(1)
// @ts-expect-error only children have an id
Widened.server.layer({ id: "x" })
// @ts-expect-error wrong mock
Layer.succeed(Counter, { ...mock, value: () => Effect.succeed("1") })
// @ts-expect-error a client is not a Ref
readsRef(found)
declare const from: GenServer.From<number, NotEnough>
// @ts-expect-error wrong value
GenServer.reply(from, "1")
// @ts-expect-error wrong error
GenServer.fail(from, new Boom())
declare const silent: GenServer.From<number>
// @ts-expect-error no error declared
GenServer.fail(silent, new NotEnough())
// @ts-expect-error a signal is not sent
Effect.flatMap(full, (_) => Process.send(_.pid, null! as Process.Down))
// @ts-expect-error not a message of this server
Effect.flatMap(full, (_) => Process.send(_.pid, "hello"))

// requirements are not lost
// @ts-expect-error Db and the others are not provided
const run: Effect.Effect<unknown, unknown> = full
// @ts-expect-error only a process can link
const runLinked: Effect.Effect<unknown, unknown> = linked
// @ts-expect-error the layer is not provided
const runClient: Effect.Effect<unknown, unknown> = Effect.flatMap(Counter, (counter) => counter.value())
