/** Twenty servers as people write them: nothing in them is annotated that can be inferred. */
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as GenServer from "@effect-otp/core/GenServer"
import type { Pid } from "@effect-otp/core/Pid"
import * as Process from "@effect-otp/core/Process"
import * as Step from "@effect-otp/core/Step"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as HashMap from "effect/HashMap"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Ref from "effect/Ref"
import * as Rpc from "effect/rpc/Rpc"
import * as Schema from "effect/Schema"

class NotFound extends Schema.TaggedError<NotFound>()("NotFound", { key: Schema.String }) {}
class Refused extends Schema.TaggedError<Refused>()("Refused", { why: Schema.String }) {}
class RateLimited extends Schema.TaggedError<RateLimited>()("RateLimited", { retryAfter: Schema.Finite }) {}
class User extends Schema.Class<User>("User")({ id: Schema.String, name: Schema.String }) {}
class Sql extends Context.Service<Sql, {
  readonly query: (text: string) => Effect.Effect<ReadonlyArray<unknown>, Refused>
}>()("Sql") {}
class Smtp extends Context.Service<Smtp, { readonly send: (to: string) => Effect.Effect<void> }>()("Smtp") {}

// 1
export class Counter extends GenServer.Service<Counter>()("Counter", [
  GenServer.cast("increment"),
  GenServer.cast("decrement"),
  GenServer.call("value", { success: Schema.Finite })
]) {
  static readonly server = this.implement({
    init: (initial: number) => initial,
    handlers: {
      increment: (count) => Step.noReply(count + 1),
      decrement: (count) => Step.noReply(count - 1),
      value: (count) => Step.reply(count, count)
    }
  })
}

// 2
export class Stack extends GenServer.Service<Stack>()("Stack", [
  GenServer.cast("push", { payload: { item: Schema.String } }),
  GenServer.call("pop", { success: Schema.Option(Schema.String) }),
  GenServer.call("peek", { success: Schema.Option(Schema.String) }),
  GenServer.call("size", { success: Schema.Int })
]) {
  static readonly server = this.implement({
    init: () => [] as ReadonlyArray<string>,
    handlers: {
      push: (items, { item }) => Step.noReply([item, ...items]),
      pop: ([head, ...tail]) => Step.reply(Option.fromNullishOr(head), tail),
      peek: (items) => Step.reply(Option.fromNullishOr(items[0]), items),
      size: (items) => Step.reply(items.length, items)
    }
  })
}

// 3
export class Kv extends GenServer.Service<Kv>()("Kv", [
  GenServer.cast("put", { payload: { key: Schema.String, value: Schema.Unknown } }),
  GenServer.cast("delete", { payload: { key: Schema.String } }),
  GenServer.call("get", { payload: { key: Schema.String }, success: Schema.Unknown, error: NotFound }),
  GenServer.call("keys", { success: Schema.Array(Schema.String) })
]) {
  static readonly server = this.implement({
    init: () => HashMap.empty<string, unknown>(),
    handlers: {
      put: (map, { key, value }) => Step.noReply(HashMap.set(map, key, value)),
      delete: (map, { key }) => Step.noReply(HashMap.remove(map, key)),
      get: (map, { key }) =>
        Option.match(HashMap.get(map, key), {
          onNone: () => Step.fail(new NotFound({ key }), map),
          onSome: (value) => Step.reply(value, map)
        }),
      keys: (map) => Step.reply(Array.from(HashMap.keys(map)), map)
    }
  })
}

// 4
type Connection = { readonly _tag: "Closed" } | { readonly _tag: "Open"; readonly since: number }
export class Db extends GenServer.Service<Db>()("Db", [
  GenServer.call("query", {
    payload: { text: Schema.String },
    success: Schema.Array(Schema.Unknown),
    error: Refused
  }),
  GenServer.cast("close")
]) {
  static readonly server = this.implement({
    init: (): GenServer.Init<Connection, "connect"> => GenServer.init({ _tag: "Closed" }, { continue: "connect" }),
    continue: (_state, _term: "connect") =>
      Effect.gen(function*() {
        yield* Effect.acquireRelease(Effect.void, () => Effect.void)
        return Step.noReply({ _tag: "Open", since: 0 })
      }),
    handlers: {
      query: (state, { text }) =>
        Effect.gen(function*() {
          if (state._tag === "Closed") return yield* new Refused({ why: "closed" })
          const sql = yield* Sql
          return Step.reply(yield* sql.query(text), state)
        }),
      close: () => Step.stop(ExitReason.normal, { _tag: "Closed" })
    }
  })
}

// 5
export class Users extends GenServer.Service<Users>()("Users", [
  GenServer.call("find", { payload: { id: Schema.String }, success: User, error: NotFound }),
  GenServer.call("save", { payload: User, success: Schema.Boolean }),
  GenServer.call("all", { success: Schema.Array(User) })
]) {
  static readonly server = this.implement({
    init: Effect.fnUntraced(function*() {
      const sql = yield* Sql
      yield* sql.query("select")
      return new Map<string, User>()
    }) satisfies () => Effect.Effect<Map<string, User>, Refused, Sql>,
    handlers: {
      find: (users, { id }) => {
        const user = users.get(id)
        return user ? Step.reply(user, users) : Step.fail(new NotFound({ key: id }), users)
      },
      save: (users, user) => Step.reply(users.has(user.id), new Map(users).set(user.id, user)),
      all: (users) => Step.reply([...users.values()], users)
    }
  })
}

// 6
export class Limiter extends GenServer.Service<Limiter>()("Limiter", [
  GenServer.call("check", {
    payload: { client: Schema.String, cost: Schema.optionalKey(Schema.Finite) },
    success: Schema.Struct({ remaining: Schema.Finite }),
    error: RateLimited
  })
]) {
  static readonly server = this.implement({
    init: (config: { readonly limit: number; readonly window: Duration.Input }) => ({
      config,
      seen: new Map<string, number>()
    }),
    handlers: {
      check: (state, { client, cost }) => {
        const used = (state.seen.get(client) ?? 0) + (cost ?? 1)
        if (used > state.config.limit) return Effect.fail(new RateLimited({ retryAfter: 1 }))
        state.seen.set(client, used)
        return Step.reply({ remaining: state.config.limit - used }, state, { timeout: state.config.window })
      }
    },
    info: (state, _message: GenServer.Timeout) => Step.noReply({ ...state, seen: new Map() })
  })
}

// 7
export class Mailer extends GenServer.Service<Mailer>()("Mailer", [
  GenServer.cast("send", { payload: { to: Schema.String } }),
  GenServer.call("flush", { success: Schema.Int })
]) {
  static readonly server = this.implement({
    init: () => ({ queue: [] as ReadonlyArray<string> }),
    handlers: {
      send: (state, { to }) => Step.noReply({ queue: [...state.queue, to] }),
      flush: Effect.fn(function*(state) {
        const smtp = yield* Smtp
        yield* Effect.forEach(state.queue, smtp.send, { discard: true })
        return Step.reply(state.queue.length, { queue: [] })
      })
    },
    terminate: (state) => Effect.log("unsent", state.queue.length)
  })
}

// 8
type Job = { readonly id: number; readonly pid: Pid<never> }
export class Jobs extends GenServer.Service<Jobs>()("Jobs", [
  GenServer.call("run", { payload: { name: Schema.String }, success: Schema.Int }),
  GenServer.call("running", { success: Schema.Int })
]) {
  static readonly server = this.implement({
    init: () => ({ next: 1, jobs: new Map<object, Job>() }),
    handlers: {
      run: (state) =>
        Effect.gen(function*() {
          const pid = yield* Process.self
          const ref = yield* Process.monitor(pid)
          const jobs = new Map(state.jobs).set(ref, { id: state.next, pid })
          return Step.reply(state.next, { next: state.next + 1, jobs })
        }),
      running: (state) => Step.reply(state.jobs.size, state)
    },
    info: (state, message: Process.Down) => {
      const jobs = new Map(state.jobs)
      jobs.delete(message.ref)
      return Step.noReply({ ...state, jobs })
    }
  })
}

// 9
export class Lock extends GenServer.Service<Lock>()("Lock", [
  GenServer.call("acquire"),
  GenServer.cast("release")
]) {
  static readonly server = this.implement({
    init: () => ({ held: false, waiting: [] as ReadonlyArray<GenServer.From<void>> }),
    handlers: {
      acquire: (state, _payload, from) =>
        state.held
          ? Step.noReply({ ...state, waiting: [...state.waiting, from] })
          : Step.reply(undefined, { ...state, held: true }),
      release: (state) => {
        const [next, ...waiting] = state.waiting
        return next
          ? Effect.as(GenServer.reply(next, undefined), Step.noReply({ held: true, waiting }))
          : Step.noReply({ held: false, waiting: [] })
      }
    }
  })
}

// 10
interface Subscriber {
  readonly pid: Pid<{ readonly _tag: "Event"; readonly topic: string }>
  readonly topic: string
}
export class Bus extends GenServer.Service<Bus>()("Bus", [
  GenServer.cast("publish", { payload: { topic: Schema.String } }),
  GenServer.call("topics", { success: Schema.Array(Schema.String) })
]) {
  static readonly server = this.implement({
    init: () => [] as Array<Subscriber>,
    handlers: {
      publish: (subscribers, { topic }) =>
        Effect.forEach(
          subscribers.filter((_) => _.topic === topic),
          (_) => Process.send(_.pid, { _tag: "Event", topic })
        ).pipe(Effect.as(Step.noReply(subscribers))),
      topics: (subscribers) => Step.reply(subscribers.map((_) => _.topic), subscribers)
    },
    info: (subscribers, message: Subscriber | Process.Down) =>
      "pid" in message ? Step.noReply([...subscribers, message]) : Step.noReply(subscribers)
  })
}

// 11
interface Tick {
  readonly _tag: "Tick"
}
export class Poller extends GenServer.Service<Poller>()("Poller", [
  GenServer.call("last", { success: Schema.Finite }),
  GenServer.cast("pause"),
  GenServer.cast("resume")
]) {
  static readonly server = this.implement({
    init: (every: Duration.Input) => ({ every, last: 0, status: "running" as "running" | "paused" }),
    handlers: {
      last: (state) => Step.reply(state.last, state),
      pause: (state) => Step.noReply({ ...state, status: "paused" }),
      resume: (state) => Effect.succeed(Step.noReply({ ...state, status: "running" }))
    },
    info: (state, _message: Tick) =>
      Effect.gen(function*() {
        if (state.status === "paused") return Step.noReply(state)
        const sql = yield* Sql
        const rows = yield* Effect.orElseSucceed(sql.query("select"), () => [])
        return Step.noReply({ ...state, last: rows.length, status: "running" })
      }),
    formatStatus: ({ last, status }) => ({ last, status })
  })
}

// 12
export class Cache extends GenServer.Service<Cache>()("Cache", [
  GenServer.call("get", { payload: Schema.String, success: Schema.String, error: NotFound }),
  GenServer.cast("evict", { payload: Schema.UndefinedOr(Schema.String) })
]) {
  static readonly server = this.implement({
    init: () => Ref.make(HashMap.empty<string, string>()),
    handlers: {
      get: (ref, key) =>
        Ref.get(ref).pipe(
          Effect.flatMap((map) => Effect.fromOption(HashMap.get(map, key))),
          Effect.mapError(() => new NotFound({ key })),
          Effect.map((value) => Step.reply(value, ref))
        ),
      evict: (ref) => Effect.as(Ref.set(ref, HashMap.empty()), Step.noReply(ref))
    }
  })
}

// 13
export class Bank extends GenServer.Service<Bank>()("Bank", [
  GenServer.call("deposit", { payload: { amount: Schema.Finite }, success: Schema.Finite, error: Refused }),
  GenServer.call("withdraw", {
    payload: { amount: Schema.Finite },
    success: Schema.Finite,
    error: Schema.Union([Refused, RateLimited])
  })
]) {
  static readonly server = this.implement({
    init: () => 0,
    handlers: {
      deposit: (balance, { amount }) =>
        amount <= 0 ? Step.fail(new Refused({ why: "negative" }), balance) : Step.reply(amount, balance + amount),
      withdraw: (balance, { amount }) =>
        Effect.gen(function*() {
          const limiter = yield* Limiter
          yield* limiter.check({ client: "bank" })
          if (amount > balance) return yield* new Refused({ why: "funds" })
          return Step.reply(balance - amount, balance - amount)
        })
    }
  })
}

// 14
export class Session extends GenServer.Service<Session>()("Session", [
  GenServer.call("login", { payload: { user: Schema.String }, success: User, error: NotFound }),
  GenServer.cast("touch"),
  GenServer.call("logout", { success: Schema.Boolean })
]) {
  static readonly server = this.implement({
    init: (id: string) => id === "" ? GenServer.ignore : { id, user: Option.none<User>() },
    handlers: {
      login: (state, { user }) =>
        Effect.gen(function*() {
          const users = yield* Users
          const found = yield* users.find({ id: user })
          return Step.reply(found, { ...state, user: Option.some(found) }, { timeout: "30 minutes" })
        }),
      touch: (state) => Step.noReply(state, { timeout: "30 minutes", hibernate: true }),
      logout: (state) => Step.replyAndStop(Option.isSome(state.user), ExitReason.normal, state)
    },
    info: (state, _message: GenServer.Timeout) => Step.stop(ExitReason.shutdown("idle"), state)
  })
}

// 15
export class Pool extends GenServer.Service<Pool>()("Pool", [
  GenServer.call("checkout", { success: Schema.Int, error: Refused }),
  GenServer.cast("checkin", { payload: Schema.Int })
]) {
  static readonly server = this.implement({
    trapExit: true,
    init: (size: number) =>
      Effect.gen(function*() {
        if (size <= 0) return GenServer.initStop(ExitReason.shutdown("size"))
        yield* Process.trapExit(true)
        yield* Effect.addFinalizer(() => Effect.log("bye"))
        return { free: Array.from({ length: size }, (_, i) => i) }
      }),
    handlers: {
      checkout: ({ free: [worker, ...free] }) =>
        worker === undefined ? Step.fail(new Refused({ why: "empty" }), { free }) : Step.reply(worker, { free }),
      checkin: ({ free }, worker) => Step.noReply({ free: [...free, worker] })
    },
    info: (state, message: Process.Exit) =>
      message.reason._tag === "Normal" ? Step.noReply(state) : Step.stop(message.reason, state)
  })
}

// 16
export class Plain extends GenServer.Service<Plain>()("Plain", [
  Rpc.make("echo", { payload: { text: Schema.String }, success: Schema.String }),
  Rpc.make("version", { success: Schema.String }).annotate(Smtp, { send: () => Effect.void })
]) {
  static readonly server = this.implement({
    init: () => {},
    handlers: {
      echo: (_, { text }) => Step.reply(text, undefined),
      version: () => Step.reply("1", undefined)
    }
  })
}

// 17
type Phase = "red" | "green" | "amber"
const following: Record<Phase, Phase> = { red: "green", green: "amber", amber: "red" }
export class Light extends GenServer.Service<Light>()("Light", [
  GenServer.call("phase", { success: Schema.Literals(["red", "green", "amber"]) }),
  GenServer.cast("fault")
]) {
  static readonly server = this.implement({
    init: (): Phase => "red",
    handlers: {
      phase: (phase) => Step.reply(phase, phase),
      fault: () => Step.noReply("amber", { timeout: "1 second" })
    },
    info: (phase, _message: GenServer.Timeout) => Step.noReply(following[phase])
  })
}

// 18
export class Batch extends GenServer.Service<Batch>()("Batch", [
  GenServer.cast("add", { payload: { row: Schema.Struct({ a: Schema.Finite, b: Schema.Array(Schema.String) }) } }),
  GenServer.call("flush", { success: Schema.Int, error: Refused })
]) {
  static readonly server = this.implement({
    init: (size: number) => ({ size, rows: [] as ReadonlyArray<{ readonly a: number }> }),
    handlers: {
      add: (state, { row }) =>
        Step.noReply(
          { ...state, rows: [...state.rows, row] },
          state.rows.length >= state.size ? { continue: { _tag: "Flush", at: 1 } } : {}
        ),
      flush: (state) =>
        Effect.gen(function*() {
          const sql = yield* Sql
          yield* sql.query("insert")
          return Step.reply(state.rows.length, { ...state, rows: [] })
        })
    },
    continue: (state, term: { readonly _tag: "Flush"; readonly at: number }) =>
      Effect.gen(function*() {
        const db = yield* Db
        yield* Effect.ignore(db.query({ text: `insert ${term.at}` }))
        return Step.noReply({ ...state, rows: [] })
      })
  })
}

// 19
export class Metrics extends GenServer.Service<Metrics>()("Metrics", [
  GenServer.cast("count", { payload: { name: Schema.String, by: Schema.optionalKey(Schema.Finite) } }),
  GenServer.cast("gauge", { payload: { name: Schema.String, value: Schema.Finite } }),
  GenServer.cast("reset"),
  GenServer.call("read", { payload: { name: Schema.String }, success: Schema.Option(Schema.Finite) }),
  GenServer.call("dump", { success: Schema.Record(Schema.String, Schema.Finite) })
]) {
  static readonly server = this.implement({
    init: () => ({}) as Readonly<Record<string, number>>,
    handlers: {
      count: (all, { name, by }) => Step.noReply({ ...all, [name]: (all[name] ?? 0) + (by ?? 1) }),
      gauge: (all, { name, value }) => Step.noReply({ ...all, [name]: value }),
      reset: () => Step.noReply({}),
      read: (all, { name }) => Step.reply(Option.fromNullishOr(all[name]), all),
      dump: (all) => Step.reply(all, all)
    }
  })
}

// 20
export class Order extends GenServer.Service<Order>()("Order", [
  GenServer.call("place", {
    payload: { user: Schema.String, amount: Schema.Finite },
    success: Schema.Struct({ id: Schema.Int, left: Schema.Finite }),
    error: Schema.Union([NotFound, Refused, RateLimited])
  }),
  GenServer.cast("cancel", { payload: { id: Schema.Int } })
]) {
  static readonly server = this.implement({
    init: () => 1,
    handlers: {
      place: Effect.fn("Order.place")(function*(id, { user, amount }) {
        const users = yield* Users
        const bank = yield* Bank
        const mailer = yield* Mailer
        const found = yield* users.find({ id: user })
        const left = yield* bank.withdraw({ amount })
        yield* mailer.send({ to: found.name })
        return Step.reply({ id, left }, id + 1)
      }),
      cancel: (id) => Step.noReply(id)
    }
  })
}

export const live = Layer.mergeAll(
  Counter.server.layer(0),
  Stack.server.layer(),
  Kv.server.layer({ name: "kv" }),
  Order.server.layer().pipe(
    Layer.provide(Bank.server.layer()),
    Layer.provide(Mailer.server.layer()),
    Layer.provide(Limiter.server.layer({ limit: 10, window: "1 minute" })),
    Layer.provide(Users.server.layer())
  ),
  Jobs.server.layer(),
  Session.server.layer("s"),
  Batch.server.layer(10)
)
