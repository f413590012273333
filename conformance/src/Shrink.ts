/**
 * The smallest scenario that still shows a difference: steps and commands are left out and plans are made simpler, as long as
 * the difference stays.
 */
import * as Effect from "effect/Effect"
import * as Scenario from "./Scenario.ts"

/** Simpler scenarios, those first that are simpler by the most. */
export const simpler = (scenario: Scenario.Scenario): ReadonlyArray<Scenario.Scenario> => [
  ...withoutParts(scenario).filter((each) => each.length > 0),
  ...scenario.flatMap((step, i) => simplerSteps(step).map((each) => scenario.with(i, each)))
]

/** A list without some of its items: half of it, a quarter, and so on. */
const withoutParts = <A>(items: ReadonlyArray<A>): ReadonlyArray<ReadonlyArray<A>> => {
  const found: Array<ReadonlyArray<A>> = []
  for (let length = Math.max(1, items.length >> 1); length >= 1; length >>= 1) {
    for (let from = items.length - length; from >= 0; from -= length) found.push(items.toSpliced(from, length))
  }
  return items.length === 0 ? [] : found
}

const simplerSteps = (step: Scenario.Step): ReadonlyArray<Scenario.Step> =>
  Scenario.isAdvance(step) ? [] : [
    ...withoutParts(step).filter((parts) => parts.length > 0),
    ...step.flatMap((part, i) => simplerParts(part).map((each) => step.with(i, each)))
  ]

const simplerParts = (part: Scenario.Part): ReadonlyArray<Scenario.Part> => [
  ...withoutParts(part.do).filter((commands) => commands.length > 0).map((commands) => ({ ...part, do: commands })),
  ...part.do.flatMap((command, i) => simplerCommands(command).map((each) => ({ ...part, do: part.do.with(i, each) })))
]

const simplerCommands = (command: Scenario.Command): ReadonlyArray<Scenario.Command> => {
  switch (command.do) {
    case "supervisor":
      return simplerTrees(command.tree).map((tree) => ({ ...command, tree }))
    case "startChild":
      return simplerChildren(command.child).map((child) => ({ ...command, child }))
    case "server":
      return [
        ...(command.name === null ? [] : [{ ...command, name: null }]),
        ...simplerServers(command.server).map((server) => ({ ...command, server }))
      ]
    case "spawn":
      return [
        ...(command.trap ? [{ ...command, trap: false }] : []),
        ...(command.how === "spawn" ? [] : [{ ...command, how: "spawn" as const }])
      ]
    default:
      return []
  }
}

const simplerTrees = (tree: Scenario.SupervisorPlan): ReadonlyArray<Scenario.SupervisorPlan> => [
  ...withoutParts(tree.children).map((children) => ({ ...tree, children })),
  ...(tree.autoShutdown === "never" || tree.children.some(({ significant }) => significant)
    ? []
    : [{ ...tree, autoShutdown: "never" as const }]),
  ...(tree.strategy === "one_for_one" ? [] : [{ ...tree, strategy: "one_for_one" as const }]),
  ...tree.children.flatMap((child, i) =>
    simplerChildren(child).map((each) => ({ ...tree, children: tree.children.with(i, each) }))
  )
]

const simplerServers = <Plan extends Scenario.ServerPlan>(plan: Plan): ReadonlyArray<Plan> => [
  ...(plan.linger === 0 ? [] : [{ ...plan, linger: 0 }]),
  ...(plan.trap ? [{ ...plan, trap: false }] : []),
  ...simplerStarts(plan, "ok")
]

const simplerStarts = <Plan extends { readonly starts: ReadonlyArray<string> }>(
  plan: Plan,
  simplest: string
): ReadonlyArray<Plan> => [
  ...withoutParts(plan.starts).filter((starts) => starts.length > 0).map((starts) => ({ ...plan, starts })),
  ...plan.starts.flatMap((start, i) => start === simplest ? [] : [{ ...plan, starts: plan.starts.with(i, simplest) }])
]

const simplerChildren = (child: Scenario.Child): ReadonlyArray<Scenario.Child> => {
  const options: ReadonlyArray<Scenario.Child> = [
    ...(child.significant ? [{ ...child, significant: false }] : []),
    ...(child.restart === "permanent" || child.significant ? [] : [{ ...child, restart: "permanent" as const }]),
    ...(child.shutdown === "infinity" ? [] : [{ ...child, shutdown: "infinity" as const }])
  ]
  switch (child.kind) {
    case "worker":
      return [...options, ...(child.trap ? [{ ...child, trap: false }] : []), ...simplerStarts(child, "lives")]
    case "server":
      return [...options, ...(child.name === null ? [] : [{ ...child, name: null }]), ...simplerServers(child)]
    case "supervisor":
      return [...options, ...simplerTrees(child).map((tree) => ({ ...child, ...tree }))]
  }
}

/** Goes from one scenario that shows a difference to a simpler one that does, until there is none. */
export const shrink = Effect.fnUntraced(function*<E, R>(
  scenario: Scenario.Scenario,
  differs: (scenario: Scenario.Scenario) => Effect.Effect<boolean, E, R>,
  most: number = 2000
) {
  let smallest = scenario
  let left = most
  search: while (true) {
    for (const candidate of simpler(smallest)) {
      if (left-- === 0) break search
      if (yield* differs(candidate)) {
        smallest = candidate
        continue search
      }
    }
    break
  }
  return smallest
})
