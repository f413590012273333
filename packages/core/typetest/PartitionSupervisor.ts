/** Exact types of partitions: their errors and requirements, and which arguments do not compile. */
import type * as ChildSpec from "@effect-otp/core/ChildSpec"
import * as GenServer from "@effect-otp/core/GenServer"
import type * as Name from "@effect-otp/core/Name"
import type { StartError } from "@effect-otp/core/OtpError"
import * as PartitionSupervisor from "@effect-otp/core/PartitionSupervisor"
import * as Step from "@effect-otp/core/Step"
import * as Supervisor from "@effect-otp/core/Supervisor"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import { typeOf } from "./utils.ts"

class Db extends Context.Service<Db, { readonly query: () => string }>()("Db") {}
type DbError = { readonly _tag: "DbError" }

class Shard extends GenServer.Service<Shard>()("Shard", [GenServer.cast("push")]) {
  static readonly server = this.implement({
    init: (size: number): Effect.Effect<number, DbError, Db> => Effect.as(Db, size),
    handlers: { push: (size) => Step.noReply(size) }
  })
}

const plain = undefined as never as ChildSpec.ChildSpec<Db, never, never>

// --- errors and requirements are those of the child, and what it provides is not provided

const partitions = PartitionSupervisor.make({
  partitions: 4,
  child: Shard.server.child,
  args: [1],
  withArguments: ([size], partition) => [size + partition]
})
typeOf(partitions).is<PartitionSupervisor.PartitionSupervisor<never, DbError, Db>>()
typeOf(partitions.start).is<Effect.Effect<PartitionSupervisor.Ref, StartError<DbError>, Db>>()
typeOf(PartitionSupervisor.make({ partitions: 4, child: plain })).is<
  PartitionSupervisor.PartitionSupervisor<never, never, never>
>()
typeOf(PartitionSupervisor.make({ partitions: 4, child: () => plain })).is<
  PartitionSupervisor.PartitionSupervisor<never, never, never>
>()

// --- arguments

// @ts-expect-error the function needs arguments
PartitionSupervisor.make({ partitions: 4, child: Shard.server.child })
// @ts-expect-error a wrong argument
PartitionSupervisor.make({ partitions: 4, child: Shard.server.child, args: ["1"] })
// @ts-expect-error withArguments gives a wrong one
PartitionSupervisor.make({ partitions: 4, child: Shard.server.child, args: [1], withArguments: () => ["1"] })
// @ts-expect-error how many has to be said
PartitionSupervisor.make({ child: plain })
// @ts-expect-error not a spec
PartitionSupervisor.make({ partitions: 4, child: Shard.server })

// --- a service

class Shards extends PartitionSupervisor.Service<Shards>()("Shards") {
  static readonly server = this.implement({ partitions: 4, child: Shard.server.child, args: [1] })
}
typeOf(Shards.server).is<PartitionSupervisor.PartitionSupervisor<Shards, DbError, Db>>()
typeOf(Supervisor.make({ children: [Shards.server.child()] }).layer).is<
  Layer.Layer<Shards, StartError<DbError>, Db>
>()
typeOf(Supervisor.make({ children: [Shards.server.child({ provide: false })] }).layer).is<
  Layer.Layer<never, StartError<DbError>, Db>
>()
const program = Effect.map(Shards, (shards) => PartitionSupervisor.via<string>(shards, "key"))
typeOf(program).is<Effect.Effect<Name.Via<string>, never, Shards>>()

// @ts-expect-error a name alone does not find a partition
PartitionSupervisor.via("shards", "key")
