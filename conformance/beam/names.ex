defmodule Conformance.Names do
  @moduledoc """
  What a scenario calls its processes, and the events that they leave behind.

  All processes of one run have its lane as their group leader, so each finds the tables of its own run, and the lane
  finds all of its processes. Events are numbered as they happen.
  """

  def open(prefix) do
    events = :ets.new(:events, [:ordered_set, :public])
    names = :ets.new(:names, [:set, :public])
    :ets.insert(:lanes, {self(), %{events: events, names: names, prefix: prefix, undertaker: nil}})
    :ets.insert(names, {{:pid, self()}, "outside"})
    undertaker = spawn(fn -> undertake() end)
    run = %{events: events, names: names, prefix: prefix, undertaker: undertaker}
    :ets.insert(:lanes, {self(), run})
    run
  end

  def close(run) do
    :ets.delete(:lanes, self())
    :ets.delete(run.events)
    :ets.delete(run.names)
  end

  defp run, do: :ets.lookup_element(:lanes, Process.group_leader(), 2)

  # ---- events

  def note(event) do
    :ets.insert(run().events, {:erlang.unique_integer([:monotonic]), event})
    :ok
  end

  @doc "Where the runtime was not left to itself: one of the differences that the library means."
  def differs(id), do: note(["differs", id])

  def take_events(run) do
    events = :ets.tab2list(run.events)
    :ets.match_delete(run.events, {:"$1", :_}) && for({_, event} <- events, do: event)
  end

  # ---- facts

  def put(key, value), do: :ets.insert(run().names, {key, value})

  def get(key, default \\ nil) do
    case :ets.lookup(run().names, key) do
      [{_, value}] -> value
      [] -> default
    end
  end

  @doc "Something happens in so many milliseconds."
  def due(millis), do: put({:due, make_ref()}, :erlang.monotonic_time(:millisecond) + millis)

  def due?(run) do
    now = :erlang.monotonic_time(:millisecond)
    :ets.select_count(run.names, [{{{:due, :_}, :"$1"}, [{:>=, :"$1", now}], [true]}]) > 0
  end

  # ---- names

  @doc "Gives the process behind a path its name, and hears of its end. The caller must not be the undertaker."
  def born(name, path, pid) do
    put({:pid, pid}, name)
    put({:latest, path}, pid)
    put({:entity, name}, pid)
  end

  @doc "The name of the next incarnation of a child, and its number."
  def birth(path) do
    n = :ets.update_counter(run().names, {:births, path}, 1, {{:births, path}, 0})
    {"#{path}##{n}", n}
  end

  @doc "A child is the one that there was when the step began: those of others come and go in the middle of it."
  def pid_of(ref), do: if(String.contains?(ref, "/"), do: get({:known, ref}), else: get({:latest, ref}))

  def begin_step(run) do
    for {{:latest, ref}, pid} <- :ets.tab2list(run.names), do: :ets.insert(run.names, {{:known, ref}, pid})
  end

  def name_of(pid), do: get({:pid, pid}, "?")

  def entities(run) do
    for {{:entity, name}, pid} <- :ets.tab2list(run.names), do: {name, pid}
  end

  @doc "All processes of a run that are known: those that have a name, and those that help."
  def processes(run) do
    known = for {{kind, pid}, _} when kind in [:pid, :helper] <- :ets.tab2list(run.names), pid != self(), do: pid
    [run.undertaker | known]
  end

  @doc "The atom under which a name of the scenario is registered: each lane has its own."
  def registered(name), do: String.to_atom("conformance_#{run().prefix}_#{name}")

  def unregistered(atom) do
    [_, _, name] = String.split(Atom.to_string(atom), "_")
    name
  end

  # ---- ends

  @doc "From here on the end of a process is an event. Returns when it is sure to be one."
  def watch(pid) do
    undertaker = run().undertaker
    send(undertaker, {:watch, self(), pid})

    receive do
      {:watched, ^pid} -> :ok
    end
  end

  defp undertake do
    receive do
      {:watch, from, pid} ->
        Process.monitor(pid)
        send(from, {:watched, pid})

      {:DOWN, _, :process, pid, reason} ->
        note(["ended", name_of(pid), Conformance.Show.reason(reason)])
    end

    undertake()
  end
end
