%% At most Limit requests of a client in any window of an hour: a sliding log of times for each client.
-module(limiter).
-behaviour(gen_server).
-export([start_link/1, check/2]).
-export([init/1, handle_call/3, handle_cast/2]).

-define(WINDOW, 3600000000).

start_link(Limit) -> gen_server:start_link(?MODULE, Limit, []).

check(Pid, Client) -> gen_server:call(Pid, {check, Client}).

init(Limit) -> {ok, {Limit, #{}}}.

handle_call({check, Client}, _From, {Limit, Clients} = State) ->
    Now = erlang:monotonic_time(microsecond),
    {Size, Times} = drop_old(Now - ?WINDOW, maps:get(Client, Clients, {0, queue:new()})),
    case Size < Limit of
        true ->
            Counted = {Size + 1, queue:in(Now, Times)},
            {reply, {allowed, Limit - Size - 1}, {Limit, Clients#{Client => Counted}}};
        false ->
            {reply, {rate_limited, queue:get(Times) + ?WINDOW - Now}, State}
    end.

handle_cast(_Request, State) -> {noreply, State}.

drop_old(_Before, {0, _} = Empty) -> Empty;
drop_old(Before, {Size, Times} = Log) ->
    case queue:get(Times) =< Before of
        true -> drop_old(Before, {Size - 1, queue:drop(Times)});
        false -> Log
    end.
