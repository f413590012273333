%% The workloads: each gives a function to time, which tells how much it has done, or one to time and one that tells.
-module(workloads).
-export([prepare/3, missing/1]).

%% What is not there for a workload. Elixir is needed for its own Registry alone, and may not be installed.
missing(registry) ->
    case code:ensure_loaded(names) of
        {module, _} -> none;
        {error, _} -> "needs Elixir, which is not installed"
    end;
missing(_) -> none.

prepare(spawn, N, _) ->
    fun() ->
        Parent = self(),
        Count = atomics:new(1, []),
        Body = fun() ->
            case atomics:add_get(Count, 1, 1) of
                N -> Parent ! {ended, N};
                _ -> ok
            end
        end,
        times(N, fun() -> spawn(Body) end),
        receive {ended, Done} -> Done end
    end;

prepare(idle, N, _) ->
    Run = fun() ->
        Pids = started(N, fun() -> spawn(fun answer/0) end, []),
        %% One scheduler starts processes in order: when one more has started, all of them wait.
        Last = spawn(fun answer/0),
        1 = ask(Last),
        Pids
    end,
    {Run, fun(Pids) -> lists:sum([ask(Pid) || Pid <- Pids]) end};

prepare('idle-server', N, _) ->
    Start = fun() -> {ok, Pid} = counter:start(), Pid end,
    Verify = fun(Pids) ->
        Done = lists:sum([counter:next(Pid) || Pid <- Pids]),
        [exit(Pid, kill) || Pid <- Pids],
        Done
    end,
    {fun() -> started(N, Start, []) end, Verify};

prepare(pingpong, N, _) ->
    Other = spawn_link(fun answer_forever/0),
    fun() -> pingpong(N, Other, 0) end;

prepare(call, N, _) ->
    {ok, Pid} = counter:start_link(),
    fun() -> calls(N, Pid, 0) end;

prepare('call-many', N, Width) ->
    {ok, Pid} = counter:start_link(),
    fun() ->
        Parent = self(),
        Caller = fun() -> Parent ! {last, calls(N div Width, Pid, 0)} end,
        times(Width, fun() -> spawn_link(Caller) end),
        lists:max([receive {last, Last} -> Last end || _ <- lists:seq(1, Width)])
    end;

prepare(cast, N, _) ->
    {ok, Pid} = counter:start_link(),
    fun() ->
        times(N, fun() -> counter:add(Pid) end),
        gen_server:call(Pid, next, infinity) - 1
    end;

prepare(fanin, N, Width) ->
    fun() ->
        Parent = self(),
        times(Width, fun() -> spawn_link(fun() -> produce(1, N div Width, Parent) end) end),
        sum(N, 0)
    end;

prepare(ring, N, Width) ->
    Parent = self(),
    First = spawn_link(fun() ->
        Next = lists:foldl(fun(_, Next) -> spawn_link(fun() -> pass(N, Next, Parent) end) end, self(), lists:seq(2, Width)),
        pass(N, Next, Parent)
    end),
    fun() ->
        First ! 0,
        receive {arrived, Hops} -> Hops end
    end;

prepare(restart, N, _) ->
    fun() -> restarts(N, N, 0) end;

prepare('restart-fresh', N, Width) ->
    fun() -> restarts(N, Width, 0) end;

prepare(selective, N, Width) ->
    times(Width, fun() -> self() ! other end),
    fun() ->
        times(N, fun() -> self() ! wanted, receive wanted -> ok end end),
        N + length([receive other -> ok end || _ <- lists:seq(1, Width)])
    end;

prepare(ratelimit, N, Width) ->
    {ok, Pid} = limiter:start_link(Width div 2),
    Clients = [list_to_binary("client-" ++ integer_to_list(I)) || I <- lists:seq(1, N div Width)],
    fun() -> check_rounds(Width, Pid, Clients, 0) end;

prepare(registry, N, _) ->
    names:prepare(N);

prepare(tree, N, _) ->
    Start = supervision:start_counters(N),
    fun() ->
        Before = erlang:system_info(process_count),
        {ok, Supervisor} = Start(),
        %% One of them is the supervisor.
        Started = erlang:system_info(process_count) - Before - 1,
        supervision:stop(Supervisor),
        Started - (erlang:system_info(process_count) - Before)
    end.

times(0, _) -> ok;
times(N, F) -> F(), times(N - 1, F).

started(0, _, Pids) -> Pids;
started(N, Start, Pids) -> started(N - 1, Start, [Start() | Pids]).

answer() ->
    receive From -> From ! 1 end.

answer_forever() ->
    receive From -> From ! 1 end,
    answer_forever().

ask(Pid) ->
    Pid ! self(),
    receive Answer -> Answer end.

pingpong(0, _, Answers) -> Answers;
pingpong(N, Other, Answers) -> pingpong(N - 1, Other, Answers + ask(Other)).

calls(0, _, Last) -> Last;
calls(N, Pid, _) -> calls(N - 1, Pid, counter:next(Pid)).

produce(I, Last, _) when I > Last -> ok;
produce(I, Last, To) -> To ! I, produce(I + 1, Last, To).

sum(0, Sum) -> Sum;
sum(N, Sum) -> receive Value -> sum(N - 1, Sum + Value) end.

pass(N, Next, Parent) ->
    receive
        N -> Parent ! {arrived, N};
        Hops -> Next ! Hops + 1
    end,
    pass(N, Next, Parent).

restarts(N, _, Done) when Done >= N -> Done;
restarts(N, Life, Done) ->
    {ok, Supervisor} = supervision:start_crasher(self(), Life),
    Count = min(Life, N - Done),
    crash(Count, next_start()),
    supervision:stop(Supervisor),
    restarts(N, Life, Done + Count).

crash(0, _) -> ok;
crash(N, Child) -> Child ! boom, crash(N - 1, next_start()).

next_start() ->
    receive {started, Pid} -> Pid end.

check_rounds(0, _, _, Allowed) -> Allowed;
check_rounds(N, Pid, Clients, Allowed) -> check_rounds(N - 1, Pid, Clients, check_all(Clients, Pid, Allowed)).

check_all([], _, Allowed) -> Allowed;
check_all([Client | Rest], Pid, Allowed) ->
    case limiter:check(Pid, Client) of
        {allowed, _} -> check_all(Rest, Pid, Allowed + 1);
        {rate_limited, _} -> check_all(Rest, Pid, Allowed)
    end.
