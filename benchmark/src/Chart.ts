/**
 * Charts as SVG, readable on a light and on a dark page: no background, text in the colour of the page, series in
 * colours halfway between the two.
 */
import * as Effect from "effect/Effect"
import * as vega from "vega"
import { compile, type TopLevelSpec } from "vega-lite"
import { type Comparison, measured } from "./Comparison.ts"
import { systems } from "./System.ts"

const palette = [
  "#e0603c",
  "#eb9478",
  "#8f6bdc",
  "#b48ae8",
  "#3f87e5",
  "#2f9e68",
  "#d08b1d",
  "#cf5c9c",
  "#4c9fb0",
  "#8a8f98"
]

const names = systems.map(({ name }) => name)

const color = { field: "system", type: "nominal", scale: { domain: names, range: palette } } as const

const timeLabel =
  "datum.value >= 1e6 ? datum.value / 1e6 + ' ms' : datum.value >= 1e3 ? datum.value / 1e3 + ' µs' : datum.value + ' ns'"

/** The ticks of a logarithmic axis, which ends at powers of ten. Left to itself it omits labels where they would do best. */
const timeAxis = (nanos: ReadonlyArray<number>) => {
  const [from, to] = [Math.floor(Math.log10(Math.min(...nanos))), Math.ceil(Math.log10(Math.max(...nanos)))]
  const steps = to - from > 3 ? [1] : [1, 2, 5]
  const values = Array.from({ length: to - from + 1 }, (_, i) => steps.map((step) => step * 10 ** (from + i))).flat()
  return { labelExpr: timeLabel, values: values.filter((value) => value <= 10 ** to) }
}

const config = {
  background: "transparent",
  font: "system-ui, sans-serif",
  view: { stroke: "transparent" },
  axis: {
    labelColor: "currentColor",
    titleColor: "currentColor",
    domainColor: "#8a8f98",
    tickColor: "#8a8f98",
    gridColor: "#8a8f98",
    gridOpacity: 0.25,
    labelFontSize: 12,
    labelLimit: 240,
    titleFontSize: 12,
    titleFontWeight: "normal"
  },
  legend: { labelColor: "currentColor", titleColor: "currentColor", labelFontSize: 12, labelLimit: 240 },
  text: { color: "currentColor" }
} as const

const style = "<style>svg{color:#1f2328}@media(prefers-color-scheme:dark){svg{color:#d8dee6}}</style>"

const render = (spec: TopLevelSpec): Effect.Effect<string> =>
  Effect.promise(() => new vega.View(vega.parse(compile(spec).spec), { renderer: "none" }).toSVG()).pipe(
    Effect.map((svg) => svg.replace(/(<svg[^>]*>)/, `$1${style}`) + "\n")
  )

const y = { field: "system", type: "nominal", sort: names, title: null, axis: { grid: false } } as const

/** What an operation costs in each system: the median, and a line from the fastest to the slowest sample. */
export const cost = (comparison: Comparison): Effect.Effect<string> => {
  const values = measured(comparison).map(({ nsPerOp, system }) => ({ system: system.name, ...nsPerOp }))
  const x = (field: string) =>
    ({
      field,
      type: "quantitative",
      scale: { type: "log", nice: true },
      axis: timeAxis(values.flatMap(({ max, min }) => [min, max])),
      title: `time per ${comparison.workload.unit}, less is better`
    }) as const
  return render({
    config,
    width: 560,
    height: { step: 26 },
    data: { values },
    encoding: { y },
    layer: [
      { mark: { type: "rule", strokeWidth: 3, opacity: 0.5 }, encoding: { x: x("min"), x2: { field: "max" }, color } },
      {
        mark: { type: "point", filled: true, size: 90, opacity: 1 },
        encoding: { x: x("median"), color: { ...color, legend: null } }
      }
    ]
  })
}

/** What each process holds of the heap. */
export const heap = (comparison: Comparison): Effect.Effect<string> =>
  render({
    config,
    width: 560,
    height: { step: 26 },
    data: {
      values: measured(comparison).map(({ heapBytesPerProcess, system }) => ({
        system: system.name,
        bytes: heapBytesPerProcess
      }))
    },
    mark: { type: "bar", height: 14 },
    encoding: {
      y,
      x: { field: "bytes", type: "quantitative", title: `bytes per ${comparison.workload.unit}, less is better` },
      color: { ...color, legend: null }
    }
  })

/** How the cost of an operation changes with their number: a level line is linear growth. */
export const growth = (comparisons: ReadonlyArray<Comparison>): Effect.Effect<string> => {
  const values = comparisons.flatMap((comparison) =>
    measured(comparison).map(({ nsPerOp, system }) => ({ system: system.name, n: comparison.n, ns: nsPerOp.median }))
  )
  const present = names.filter((name) => values.some(({ system }) => system === name))
  const range = present.map((name) => palette[names.indexOf(name)]!)
  return render({
    config,
    width: 480,
    height: 260,
    data: { values },
    mark: { type: "line", point: { filled: true, size: 50 }, strokeWidth: 2 },
    encoding: {
      x: {
        field: "n",
        type: "quantitative",
        scale: { type: "log" },
        title: `number of operations (${comparisons[0]!.workload.unit})`,
        axis: { values: comparisons.map(({ n }) => n), format: "," }
      },
      y: {
        field: "ns",
        type: "quantitative",
        scale: { type: "log" },
        title: `time per ${comparisons[0]!.workload.unit}`,
        axis: timeAxis(values.map(({ ns }) => ns))
      },
      color: { ...color, scale: { domain: present, range }, title: null }
    }
  })
}
