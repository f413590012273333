defmodule Conformance.Plain do
  @moduledoc "A process that does what it is told, and leaves everything else in its mailbox until it is told to take it."

  alias Conformance.{Commands, Lane, Names, Show}

  # It begins when its end is sure to be seen.
  def begin(name, path, pid) do
    Names.born(name, path, pid)
    Names.watch(pid)
    Lane.hold(pid)
    send(pid, :begin)
  end

  def body(name, fate, trap) do
    fn ->
      receive do
        :begin -> run(name, fate, trap)
      end
    end
  end

  defp run(name, fate, trap) do
    Lane.jitter()
    if trap, do: Process.flag(:trap_exit, true)
    Lane.jitter()

    case fate do
      "lives" -> loop(name)
      "finishes" -> :ok
      "crashes" -> raise name
      "exits " <> reason -> exit(Show.to_reason(reason))
    end
  end

  defp loop(name) do
    receive do
      {:do, commands} ->
        case Commands.perform(commands, %{me: name, kind: :plain}) do
          :go_on -> loop(name)
          :finish -> :ok
          :crash -> raise name
          {:exit, reason} -> exit(reason)
        end
    end
  end
end

defmodule Conformance.Server do
  @moduledoc "A server that does what its plan says, and notes all that it sees."
  use GenServer

  alias Conformance.{Commands, Lane, Names, Show}

  @impl true
  def init({path, plan, place}) do
    {name, n} = if place == :child, do: Names.birth(path), else: {path, 1}
    fate = Enum.at(plan["starts"], n - 1) || List.last(plan["starts"])
    Names.born(name, path, self())
    if plan["trap"], do: Process.flag(:trap_exit, true)
    Names.watch(self())
    Lane.jitter()
    # From OTP 26 on a start that has failed returns when the process has ended.
    if fate != "ok", do: Process.flag(:priority, :high)
    Names.note(["tree", root(path), "init #{name} #{fate}"])

    case fate do
      "ok" -> {:ok, %{name: name, path: path, linger: plan["linger"], froms: []}}
      "ignore" -> :ignore
      "crash" -> raise name
      "stop " <> reason -> {:stop, Show.to_reason(reason)}
      "exit " <> reason -> exit(Show.to_reason(reason))
    end
  end

  @impl true
  def handle_call({:ask, label, ask}, from, state) do
    if Names.get({:gave_up, label}) do
      Names.differs("queued-request")
      {:noreply, state}
    else
      Names.note(["saw", state.name, "call " <> label, ask])
      asked(ask, from, state)
    end
  end

  defp asked("reply", _, state), do: {:reply, "reply", state}
  defp asked("later", from, state), do: {:noreply, %{state | froms: state.froms ++ [from]}}
  defp asked("crash", _, state), do: raise(state.name)
  defp asked("stop " <> reason, _, state), do: {:stop, Show.to_reason(reason), state}
  defp asked("replyAndStop " <> reason, _, state), do: {:stop, Show.to_reason(reason), "reply", state}
  defp asked("exit " <> reason, _, _), do: exit(Show.to_reason(reason))

  defp asked("busy " <> millis, _, state) do
    Commands.sleep(String.to_integer(millis))
    {:reply, "reply", state}
  end

  @impl true
  def handle_cast({:text, from, text}, state) do
    Names.note(["saw", state.name, from, "cast " <> text])
    {:noreply, state}
  end

  def handle_cast({:do, commands}, state) do
    Process.put(:froms, state.froms)
    result = Commands.perform(commands, %{me: state.name, kind: :server})
    state = %{state | froms: Process.get(:froms)}

    case result do
      :go_on -> {:noreply, state}
      :finish -> {:stop, :normal, state}
      :crash -> raise state.name
      {:stop, reason} -> {:stop, reason, state}
      {:exit, reason} -> exit(reason)
    end
  end

  @impl true
  def handle_info(message, state) do
    {of, text} = Show.message(message)
    Names.note(["saw", state.name, of, text])
    {:noreply, state}
  end

  @impl true
  def terminate(reason, state) do
    Lane.jitter()
    Names.note(["tree", root(state.path), "terminate #{state.name} #{Show.reason(reason)}"])
    if state.linger > 0, do: linger(state.linger)
  end

  # The library has a state of ending, in which a process takes no message any more and only a kill counts. Here it is as
  # alive as before, so what would show is held off.
  defp linger(millis) do
    Names.put({:ending, self()}, true)
    trapped = Process.flag(:trap_exit, true)
    Commands.sleep(millis)
    {:messages, messages} = Process.info(self(), :messages)
    hit = Enum.any?(messages, &match?({:EXIT, _, reason} when reason != :normal, &1))
    if hit and not trapped, do: Names.differs("ending")
  end

  def root(path), do: path |> String.split("/") |> hd()
end

defmodule Conformance.Sup do
  @moduledoc "Supervisors, and how their children are started."
  @behaviour :supervisor

  alias Conformance.{Lane, Names, Plain, Server}

  @impl true
  def init({path, plan}) do
    Names.put({:starting, path}, self())

    flags = %{
      strategy: String.to_existing_atom(plan["strategy"]),
      intensity: plan["intensity"],
      # Restarts are counted in whole seconds: in a period this long all of them count.
      period: 3600,
      auto_shutdown: auto_shutdown(plan["autoShutdown"])
    }

    {:ok, {flags, Enum.map(plan["children"], &spec(path, &1))}}
  end

  defp auto_shutdown("anySignificant"), do: :any_significant
  defp auto_shutdown("allSignificant"), do: :all_significant
  defp auto_shutdown(_), do: :never

  def spec(path, child) do
    %{
      id: child["id"],
      start: {__MODULE__, :start_child, ["#{path}/#{child["id"]}", child]},
      restart: String.to_existing_atom(child["restart"]),
      shutdown: shutdown(child["shutdown"]),
      significant: child["significant"] || false,
      type: if(child["kind"] == "supervisor", do: :supervisor, else: :worker)
    }
  end

  defp shutdown("brutalKill"), do: :brutal_kill
  defp shutdown("infinity"), do: :infinity
  defp shutdown(millis), do: millis

  def start_child(path, %{"kind" => "worker"} = plan) do
    Lane.jitter()
    {name, n} = Names.birth(path)
    fate = Enum.at(plan["starts"], n - 1) || List.last(plan["starts"])
    Names.note(["tree", Server.root(path), "start #{name} #{fate}"])
    pid = spawn_link(Plain.body(name, fate, plan["trap"]))
    Plain.begin(name, path, pid)
    Lane.jitter()
    {:ok, pid}
  end

  def start_child(path, %{"kind" => "server"} = plan) do
    GenServer.start_link(Server, {path, plan, :child}, options(plan["name"]))
  end

  def start_child(path, %{"kind" => "supervisor"} = plan) do
    result = start_link(path, plan)

    with {:ok, pid} <- result do
      {name, _} = Names.birth(path)
      Names.born(name, path, pid)
      Names.watch(pid)
      Names.note(["tree", Server.root(path), "up #{name}"])
      Lane.hold(pid)
    end

    result
  end

  def start_link(path, plan) do
    case plan["name"] do
      nil -> :supervisor.start_link(__MODULE__, {path, plan})
      name -> :supervisor.start_link({:local, Names.registered(name)}, __MODULE__, {path, plan})
    end
  end

  @doc "Without a link, for which a supervisor has no function of its own."
  def start(path, plan) do
    case plan["name"] do
      nil -> :gen_server.start(:supervisor, {:self, __MODULE__, {path, plan}}, [])
      name -> :gen_server.start({:local, Names.registered(name)}, :supervisor, {:self, __MODULE__, {path, plan}}, [])
    end
  end

  def options(nil), do: []
  def options(name), do: [name: Names.registered(name)]

  # ---- the logger, which a supervisor tells that it gives up

  def log(%{msg: {:report, %{label: {:supervisor, :shutdown}, report: report}}}, _) do
    if report[:reason] == :reached_max_restart_intensity and :ets.member(:lanes, Process.group_leader()) do
      Lane.jitter()
      name = Names.name_of(self())
      Names.note(["tree", Server.root(name), "gives up #{name}"])
    end
  end

  def log(_, _), do: :ok
end
