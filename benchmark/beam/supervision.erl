%% The supervisors: of one child that crashes, and of many that do not.
-module(supervision).
-behaviour(supervisor).
-export([start_crasher/2, start_counters/1, stop/1]).
-export([init/1, start_crashing/1]).

%% The child tells Observer its pid whenever it starts.
start_crasher(Observer, MaxRestarts) ->
    Child = #{id => crasher, start => {?MODULE, start_crashing, [Observer]}},
    supervisor:start_link(?MODULE, {#{intensity => MaxRestarts, period => 3600}, [Child]}).

start_counters(N) ->
    Children = [#{id => Id, start => {counter, start_link, []}} || Id <- lists:seq(1, N)],
    fun() -> supervisor:start_link(?MODULE, {#{}, Children}) end.

%% Its parent, who asks for it, is not taken along.
stop(Supervisor) ->
    unlink(Supervisor),
    gen_server:stop(Supervisor).

init({Flags, Children}) -> {ok, {Flags, Children}}.

start_crashing(Observer) ->
    {ok, spawn_link(fun() ->
        Observer ! {started, self()},
        receive Reason -> exit(Reason) end
    end)}.
