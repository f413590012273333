/**
 * The layer of every source file, lowest first: a file imports files of its own layer and of those above it in this
 * table, never of one below. A new file is entered here, so that where it belongs is a visible decision.
 */
export const layers: Record<string, ReadonlyArray<ReadonlyArray<string>>> = {
  "packages/core/src": [
    // 0: values and policies, pure
    [
      "ExitReason",
      "Name",
      "OtpError",
      "Pid",
      "Step",
      "internal/admission",
      "internal/fewSet",
      "internal/input",
      "internal/lightError",
      "internal/registryTable",
      "internal/restartDecision",
      "internal/restartIntensity",
      "internal/restartPlan",
      "internal/signal"
    ],
    // 1: what a process is made of
    [
      "internal/alias",
      "internal/asyncContext",
      "internal/atOnce",
      "internal/bounds",
      "internal/childInstance",
      "internal/crashReport",
      "internal/current",
      "internal/dictionary",
      "internal/holders",
      "internal/later",
      "internal/lifecycle",
      "internal/log",
      "internal/mailbox",
      "internal/present",
      "internal/presentCause",
      "internal/processFiber",
      "internal/processGroups",
      "internal/processTable",
      "internal/receiveMatch",
      "internal/receiving",
      "internal/registry",
      "internal/resolve",
      "internal/resolver",
      "internal/runQueue",
      "internal/self",
      "internal/sending",
      "internal/spawn",
      "internal/startExit",
      "internal/tap",
      "internal/taskEnd",
      "internal/taskHandle",
      "internal/taskOutcome",
      "internal/taskProcess",
      "internal/taskSlot",
      "internal/taskStream",
      "internal/taskWait",
      "internal/time",
      "internal/timers",
      "internal/wait",
      "internal/where"
    ],
    // 2: processes
    ["Alias", "Link", "Monitor", "Node", "Process", "ProcessLocal", "Timer"],
    // 3: what every server shares
    [
      "internal/address",
      "internal/calling",
      "internal/circle",
      "internal/client",
      "internal/deadline",
      "internal/gen",
      "internal/protocol",
      "internal/request",
      "internal/sent",
      "internal/serverEffect",
      "internal/serverEnd",
      "internal/serverLoop",
      "internal/serverStart",
      "internal/serverState",
      "internal/serverSystem",
      "internal/serverTimeout",
      "internal/systemCall",
      "internal/systemRequest",
      "internal/telemetry",
      "internal/withdraw"
    ],
    // 4: supervision
    [
      "Application",
      "ChildSpec",
      "PartitionSupervisor",
      "Supervisor",
      "SupervisorTree",
      "internal/childRuntime",
      "internal/dynamicLoop",
      "internal/partitions",
      "internal/restarting",
      "internal/supervisorLoop",
      "internal/supervisorReport",
      "internal/supervisorWalk"
    ],
    // 5: behaviours
    [
      "Action",
      "Agent",
      "DynamicSupervisor",
      "GenServer",
      "ProcessGroup",
      "Registry",
      "RequestIds",
      "StateMachine",
      "Sys",
      "Task",
      "TaskSupervisor",
      "Telemetry",
      "Transition",
      "internal/callbacks",
      "internal/machine",
      "internal/machineServer",
      "internal/machineTypes",
      "internal/registryService",
      "internal/requestId",
      "internal/starting"
    ],
    // 6: what stands on all of it
    [
      "GenServerRpc",
      "index",
      "testing/Interleaving",
      "testing/LeakGuard",
      "testing/Probe",
      "testing/index",
      "testing/internal/actors",
      "testing/internal/choices",
      "testing/internal/diagram",
      "testing/internal/failure",
      "testing/internal/lanes",
      "testing/internal/ledger",
      "testing/internal/oneRun",
      "testing/internal/passing",
      "testing/internal/random",
      "testing/internal/recorder",
      "testing/internal/report",
      "testing/internal/shrink",
      "testing/internal/stuck",
      "testing/internal/trace",
      "testing/internal/virtualTime",
      "testing/settle",
      "testing/vitest"
    ]
  ],
  "packages/ratelimiter/src": [
    // 0: a limit and an answer, as data
    ["Decision", "Policy"],
    // 1: algorithms, pure
    ["Algorithm", "SlidingWindow"],
    // 2: the state of all clients
    ["internal/clients"],
    // 3: the service
    ["RateLimiter"],
    ["index"]
  ]
}
