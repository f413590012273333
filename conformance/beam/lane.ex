defmodule Conformance.Lane do
  @moduledoc """
  Runs one scenario, step by step: what is to be done is given to who is to do it, then everything runs until nothing moves,
  and then what has happened is taken down.
  """

  alias Conformance.{Commands, Names}

  # How many microseconds the machine may be behind while something is due: more, and what comes first is not certain.
  @slow 14_000

  @doc "Gives the events of each step, or `slow` if the machine did not keep up."
  def run(steps, prefix, seed) do
    Process.group_leader(self(), self())
    run = Names.open(prefix)
    if seed > 0, do: :rand.seed(:exsss, {seed, seed, seed})
    Names.put(:jitter, seed > 0)
    state = %{run: run, mine: %{}, dead: %{}, began: now(), clock: 0, slow: false}

    {trace, state} =
      steps
      |> Enum.with_index(1)
      |> Enum.map_reduce(state, fn {step, n}, state ->
        state = state |> keep_time() |> begin(step, n) |> settle() |> look()
        {Names.take_events(run), state}
      end)

    state = keep_time(state)
    sweep(state)
    Names.close(run)
    if state.slow, do: "slow", else: trace
  end

  defp now, do: :erlang.monotonic_time(:microsecond)
  defp behind(state), do: now() - state.began - state.clock * 1000

  # As long as nothing is due, it does not matter how long a step has taken.
  defp keep_time(state) do
    if Names.due?(state.run) or Enum.any?(Map.keys(state.mine), &stops_a_child?/1),
      do: %{state | slow: state.slow or behind(state) > @slow},
      else: %{state | began: now() - state.clock * 1000}
  end

  defp stops_a_child?(pid), do: Process.info(pid, :current_function) == {:current_function, {:supervisor, :shutdown, 1}}

  # ---- a step

  defp begin(state, %{"advance" => millis}, _) do
    clock = state.clock + millis
    wait = state.began + clock * 1000 - now()
    if wait > 0, do: Process.sleep(div(wait + 999, 1000))
    %{state | clock: clock}
  end

  defp begin(state, parts, n) do
    Names.begin_step(state.run)
    labelled = label(parts, n)
    labelled = if seeded?(), do: Enum.shuffle(labelled), else: labelled
    for pid <- Map.keys(state.mine), pid != state.run.undertaker, do: hold(pid)

    for {by, commands} <- labelled do
      jitter()
      give(by, commands)
    end

    state
  end

  defp label(parts, n) do
    {labelled, _} =
      Enum.map_reduce(parts, 1, fn part, from ->
        commands = part["do"] |> Enum.with_index(from) |> Enum.map(fn {command, i} -> {"#{n}.#{i}", command} end)
        {{part["by"], commands}, from + length(commands)}
      end)

    labelled
  end

  # Who waits for an answer must not hold up the scenario.
  @waits ~w(call stop startChild terminateChild restartChild deleteChild whichChildren countChildren server supervisor)

  defp give("outside", commands) do
    who = %{me: "outside", kind: :outside}

    for {_, command} = each <- commands do
      if command["do"] in @waits,
        do: Names.put({:helper, spawn(fn -> Commands.perform([each], who) end)}, true),
        else: Commands.perform([each], who)
    end
  end

  defp give(by, commands) do
    case Names.pid_of(by) do
      nil -> :ok
      pid -> if server?(pid), do: GenServer.cast(pid, {:do, commands}), else: send(pid, {:do, commands})
    end
  end

  defp server?(pid) do
    case Process.info(pid, :dictionary) do
      {:dictionary, dictionary} -> List.keymember?(dictionary, :"$initial_call", 0)
      nil -> false
    end
  end

  # ---- until nothing moves

  # Three times in a row each process waited, and there was none that had not been seen before.
  defp settle(state), do: settle(state, 0)
  defp settle(state, 3), do: state

  defp settle(state, quiet) do
    :erlang.yield()
    known = (Names.processes(state.run) ++ Map.keys(state.mine)) |> Enum.reject(&is_map_key(state.dead, &1))
    {seen, still} = closure(known, %{}, true)
    {ended, mine} = Enum.split_with(seen, fn {_, how} -> how == :ended end)
    # One that has ended is listed as long as its links and monitors are still being told.
    listed = if ended == [], do: [], else: Process.list()
    dead = Enum.reject(ended, fn {pid, _} -> pid in listed end)
    known = Enum.all?(mine, fn {pid, _} -> is_map_key(state.mine, pid) end)
    still = still and known and length(dead) == length(ended)
    state = %{state | mine: Map.new(mine), dead: Map.merge(state.dead, Map.new(dead))}
    settle(state, if(still, do: quiet + 1, else: 0))
  end

  # Whoever is linked to one of them, or monitored by one, belongs to this run, too: a process that has just been started
  # has no name yet.
  defp closure([], seen, still), do: {seen, still}
  defp closure([pid | rest], seen, still) when is_map_key(seen, pid) or pid == self(), do: closure(rest, seen, still)

  defp closure([pid | rest], seen, still) do
    case Process.info(pid, [:status, :links, :monitors]) do
      nil ->
        closure(rest, Map.put(seen, pid, :ended), still)

      [status: status, links: links, monitors: monitors] ->
        related = for({:process, of} <- monitors, is_pid(of), do: of) ++ Enum.filter(links, &is_pid/1)
        closure(related ++ rest, Map.put(seen, pid, :alive), still and status == :waiting)
    end
  end

  # ---- what there is to see

  @looked_at [:links, :monitors, :registered_name, :trap_exit, :message_queue_len, :dictionary]

  defp look(state) do
    for {name, pid} <- Names.entities(state.run), info = Process.info(pid, @looked_at), info != nil do
      if supervisor?(info) and terminates?(pid), do: Names.put({:ending, pid}, true)
      Names.note(["state", name, describe(pid, info)])
    end

    state
  end

  defp describe(pid, info) do
    links = for link <- info[:links], is_pid(link), known = Names.name_of(link), known != "?", do: known
    monitors = Enum.count(info[:monitors], fn {:process, of} -> not is_pid(of) or Names.name_of(of) != "?" end)
    registered = if info[:registered_name] in [nil, []], do: "-", else: Names.unregistered(info[:registered_name])
    head = "#{registered} links [#{links |> Enum.sort() |> Enum.join(" ")}]"

    cond do
      # A supervisor monitors for its own purposes.
      supervisor?(info) -> "supervises #{head}"
      Names.get({:ending, pid}) -> "ending #{head}"
      initial(info) == nil -> "#{trap(info)} #{head} monitors #{monitors} mailbox #{info[:message_queue_len]}"
      true -> "#{trap(info)} #{head} monitors #{monitors}"
    end
  end

  defp initial(info) do
    case List.keyfind(info[:dictionary], :"$initial_call", 0) do
      nil -> nil
      {_, {:supervisor, _, _}} -> :supervisor
      _ -> :server
    end
  end

  defp supervisor?(info), do: initial(info) == :supervisor

  # It says nothing itself when it stops its children.
  defp terminates?(pid) do
    case Process.info(pid, :current_stacktrace) do
      {_, stack} -> Enum.any?(stack, &match?({:gen_server, :try_terminate, 3, _}, &1))
      nil -> false
    end
  end

  defp trap(info), do: if(info[:trap_exit], do: "traps", else: "exits")

  # ---- the end

  defp sweep(state) do
    {mine, _} = closure(Names.processes(state.run) ++ Map.keys(state.mine), %{}, true)
    left = for {pid, :alive} <- mine, do: pid
    for pid <- left, do: Process.exit(pid, :kill)
    if left != [], do: :erlang.yield() && sweep(%{state | mine: Map.new(left, &{&1, true})})
  end

  # ---- other orders of what is not ordered

  @doc "In a run that is to be like no other one, somebody may not get a turn for a while, though signals reach him."
  def hold(pid) do
    if seeded?() and :rand.uniform(5) == 1, do: Names.put({:helper, spawn(fn -> hold_up(pid) end)}, true)
  end

  # If it is he who ends, there is nobody to hold.
  defp hold_up(pid) do
    :erlang.suspend_process(pid)
    for _ <- 1..:rand.uniform(100), do: :erlang.yield()
    :erlang.resume_process(pid)
  rescue
    ArgumentError -> :ok
  end

  defp seeded?, do: Names.get(:jitter, false)

  @doc """
  In a run that is to be like no other one, a moment in which others may get ahead. Not by sleeping: who sleeps seems to be
  done.
  """
  def jitter do
    if seeded?() do
      case :rand.uniform(8) do
        1 -> for _ <- 1..:rand.uniform(100), do: :erlang.yield()
        2 -> for _ <- 1..:rand.uniform(10), do: :erlang.yield()
        3 -> :erlang.yield()
        4 -> Enum.each(1..:rand.uniform(2000), & &1)
        _ -> :ok
      end
    end
  end
end
