%% The process of the BEAM: warms up, takes one sample of one workload, prints it as a line of JSON, or why there is none.
%%
%% Arguments: workload, n, width, n for warming up, milliseconds to warm up.
-module(bench).
-export([main/0]).

main() ->
    logger:set_primary_config(level, none),
    [Name | Numbers] = init:get_plain_arguments(),
    [N, Width, WarmUpN, WarmUpMillis] = [list_to_integer(Number) || Number <- Numbers],
    Workload = list_to_atom(Name),
    case workloads:missing(Workload) of
        none -> sample_of(Workload, N, Width, WarmUpN, WarmUpMillis);
        Why -> io:format("{\"cannot\":\"~s\"}~n", [Why])
    end,
    halt(0).

sample_of(Workload, N, Width, WarmUpN, WarmUpMillis) ->
    warm_up(Workload, WarmUpN, Width, erlang:monotonic_time(millisecond) + WarmUpMillis),
    {Nanos, Done, Heap} = sample(Workload, N, Width),
    io:format("{\"nanos\":~b,\"done\":~b,\"heapBytes\":~b}~n", [Nanos, Done, Heap]).

warm_up(Workload, N, Width, End) ->
    sample(Workload, N, Width),
    case erlang:monotonic_time(millisecond) < End of
        true -> warm_up(Workload, N, Width, End);
        false -> ok
    end.

%% Each sample has a process of its own, whose heap is that of a process just started.
sample(Workload, N, Width) ->
    {Pid, Ref} = spawn_monitor(fun() -> exit({sampled, measure(workloads:prepare(Workload, N, Width))}) end),
    receive
        {'DOWN', Ref, process, Pid, {sampled, Sample}} -> Sample
    end.

measure({Run, Verify}) ->
    garbage_collect(),
    %% What the sample before has left is freed behind its back.
    timer:sleep(50),
    Before = erlang:memory(total),
    Start = erlang:monotonic_time(nanosecond),
    Result = Run(),
    Nanos = erlang:monotonic_time(nanosecond) - Start,
    garbage_collect(),
    Heap = erlang:memory(total) - Before,
    {Nanos, Verify(Result), Heap};
measure(Run) ->
    measure({Run, fun(Done) -> Done end}).
