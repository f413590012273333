/**
 * The few kinds of emphasis that the tour uses, as functions on text; without colour, each leaves the text as it is.
 */
import { styleText } from "node:util"

type Paint = (text: string) => string

export interface Theme {
  readonly title: Paint
  readonly strong: Paint
  readonly faint: Paint
  readonly good: Paint
  readonly bad: Paint
  readonly accent: Paint
}

export const make = (color: boolean): Theme => {
  const paint = (format: Parameters<typeof styleText>[0]): Paint => (text) =>
    color && text !== "" ? styleText(format, text, { validateStream: false }) : text
  return {
    title: paint(["bold", "cyan"]),
    strong: paint("bold"),
    faint: paint("dim"),
    good: paint("green"),
    bad: paint(["bold", "red"]),
    accent: paint("cyan")
  }
}
