/** The exact types of steps. */
import * as ExitReason from "@effect-otp/core/ExitReason"
import * as Step from "@effect-otp/core/Step"
import * as Schema from "effect/Schema"
import { same } from "./utils.ts"

class Boom extends Schema.TaggedError<Boom>()("Boom", {}) {}

const reply = Step.reply("a", 1)
same<typeof reply, Step.Reply<string, number>>()
const noReply = Step.noReply({ items: [1] })
same<typeof noReply, Step.NoReply<{ items: Array<number> }>>()
const failing = Step.fail(new Boom(), 1, { timeout: 1 })
same<typeof failing, Step.Fail<Boom, number>>()
const stopping = Step.stop(ExitReason.normal, 1)
same<typeof stopping, Step.Stop<number>>()
const answering = Step.replyAndStop("a", ExitReason.normal, 1)
same<typeof answering, Step.ReplyAndStop<string, number>>()
const continuing = Step.reply("a", 1, { continue: "next" })
same<typeof continuing, Step.Reply<string, number, "next">>()
