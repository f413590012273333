%% A server that counts: what it is called or cast for.
-module(counter).
-behaviour(gen_server).
-export([start/0, start_link/0, add/1, next/1]).
-export([init/1, handle_call/3, handle_cast/2]).

start() -> gen_server:start(?MODULE, [], []).
start_link() -> gen_server:start_link(?MODULE, [], []).

add(Pid) -> gen_server:cast(Pid, add).
next(Pid) -> gen_server:call(Pid, next).

init([]) -> {ok, 0}.
handle_call(next, _From, Count) -> {reply, Count + 1, Count + 1}.
handle_cast(add, Count) -> {noreply, Count + 1}.
