/** A number and a queue: a protocol whose answers tell in which order it was used. */

export type Input =
  | { readonly _tag: "read" }
  | { readonly _tag: "write"; readonly value: number }
  | { readonly _tag: "add"; readonly value: number }
  | { readonly _tag: "push"; readonly value: number }
  | { readonly _tag: "pop" }

export interface State {
  readonly n: number
  readonly queue: ReadonlyArray<number>
}

export const initial: State = { n: 0, queue: [] }

export const apply = (state: State, input: Input): readonly [answer: number | undefined, state: State] => {
  switch (input._tag) {
    case "read":
      return [state.n, state]
    case "write":
      return [undefined, { ...state, n: input.value }]
    case "add":
      return [state.n + input.value, { ...state, n: state.n + input.value }]
    case "push":
      return [undefined, { ...state, queue: [...state.queue, input.value] }]
    case "pop":
      return [state.queue[0], { ...state, queue: state.queue.slice(1) }]
  }
}
