/** The list of test projects: every package, the benchmarks, the comparison with the BEAM, the soak, the fences of the documentation, and the packages as published. */
const packages = ["packages/core", "packages/ratelimiter", "packages/examples", "benchmark", "conformance", "soak"].map(
  (root) => ({
    extends: true as const,
    test: { name: root.replace("packages/", ""), root, include: ["test/**/*.test.ts"] }
  })
)

const repository = ["docs", "scripts", "package"].map((name) => ({
  extends: true as const,
  // after the packages' tests and by itself, since "package" compares loading times
  test: { name, include: [`test/${name}.test.ts`], sequence: { groupOrder: name === "package" ? 1 : 0 } }
}))

export default [...packages, ...repository]
