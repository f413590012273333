/**
 * A store that can be ill: it fails, is slow, or does what it is told and says that it has failed.
 */
import { Duration, Effect } from "effect"
import type { Disk as Opened, Store } from "./Service.ts"
import * as Witness from "./Witness.ts"

export type Health =
  | { readonly _tag: "Well" }
  | { readonly _tag: "Fails" }
  /** It writes, and fails then: whoever has asked cannot know. */
  | { readonly _tag: "Lies" }
  | { readonly _tag: "Slow"; readonly millis: number }

export const well: Health = { _tag: "Well" }

export interface Disk {
  readonly store: Store
  health: Health
}

/** The same store, with a health. The witness sees what is really written. */
export const make = (store: Store, witness: Witness.Witness): Disk => {
  const disk: Disk = {
    health: well,
    store: {
      open: Effect.suspend(() => ill(disk.health, Effect.map(store.open, watched)))
    }
  }
  const watched = (opened: Opened): Opened => ({
    entries: opened.entries,
    append: (entry) =>
      Effect.suspend(() => ill(disk.health, Effect.map(opened.append(entry), () => Witness.stored(witness, entry)))),
    replace: (entries) => Effect.suspend(() => ill(disk.health, opened.replace(entries)))
  })
  return disk
}

const failed = Effect.suspend(() => Effect.die(new Error("the disk is ill")))

const ill = <A>(health: Health, operation: Effect.Effect<A>): Effect.Effect<A> => {
  switch (health._tag) {
    case "Well":
      return operation
    case "Fails":
      return failed
    case "Lies":
      return Effect.andThen(operation, failed)
    case "Slow":
      return Effect.delay(operation, Duration.millis(health.millis))
  }
}
