/**
 * A copy of the repository that can be broken on purpose, to see what notices it.
 */
import { execFileSync, spawnSync } from "node:child_process"
import { cpSync, existsSync, globSync, mkdtempSync, rmSync, symlinkSync } from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"

/** Copies the repository, without what git ignores, to a temporary directory that is removed when `use` has ended. */
export const inCopy = <A>(root: string, use: (to: string) => A): A => {
  const to = mkdtempSync(path.join(tmpdir(), "effect-otp-copy-"))
  try {
    const list = ["ls-files", "--cached", "--others", "--exclude-standard"]
    const files = execFileSync("git", list, { cwd: root, encoding: "utf8" }).trim().split("\n")
    // Links between packages are relative: they lead into the copy.
    const links = globSync("{*,packages/*}/node_modules", { cwd: root })
    for (const file of [...files, ...links].filter((file) => existsSync(path.join(root, file)))) {
      cpSync(path.join(root, file), path.join(to, file), { recursive: true, verbatimSymlinks: true })
    }
    symlinkSync(path.join(root, "node_modules"), path.join(to, "node_modules"))
    return use(to)
  } finally {
    rmSync(to, { recursive: true, force: true })
  }
}

/**
 * Applies a patch to a copy, or takes it back with `--reverse`; says what is wrong if it does not apply. Around what it
 * changes the code may have changed meanwhile.
 */
export const applyPatch = (to: string, patch: string, ...flags: ReadonlyArray<"--reverse">): string | undefined => {
  // Were the directory inside of a repository, git would look for the files in that one, find none, and be content.
  const env = { ...process.env, GIT_CEILING_DIRECTORIES: path.dirname(to) }
  const applied = spawnSync("git", ["apply", "--verbose", "-C0", ...flags, patch], { cwd: to, env, encoding: "utf8" })
  return applied.status === 0 ? undefined : applied.stderr.trim()
}
