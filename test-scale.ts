/**
 * How large the large tests are, in one place. `pnpm test` answers within minutes on two cores and takes the first
 * figure; `pnpm test:full` sets `EFFECT_OTP_FULL` and takes the second.
 */
export const full = process.env.EFFECT_OTP_FULL === "1"

const scale = (quick: number, whole: number): number => full ? whole : quick

/** Processes that are alive at once. */
export const processes = scale(10_000, 1_000_000)

/** Messages sent through one mailbox. */
export const messages = scale(10_000, 1_000_000)

/** Restarts of one child, one after the other. */
export const restarts = scale(1_000, 10_000)

/** Clients that come once and never again. */
export const clients = scale(10_000, 1_000_000)

/** Cases that a property is tried on. */
export const cases = scale(100, 10_000)

/** Random programs, each of dozens of steps. */
export const programs = scale(300, 5_000)

/** Kills in a storm. */
export const kills = scale(2_000, 100_000)

/** Things of one kind that are made and dropped. */
export const dropped = scale(100_000, 1_000_000)

/** Orders in which a small program is run. */
export const orders = scale(300, 20_000)

/** Simulated minutes of the soak, with a fault every second: an hour, or a week. */
export const soakMinutes = scale(60, 7 * 24 * 60)

/** Seconds of the soak on the clock of the machine. */
export const soakSeconds = scale(3, 60)

/** How often there is each mishap of a process of the operating system. */
export const soakRounds = scale(1, 5)
