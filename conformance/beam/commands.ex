defmodule Conformance.Commands do
  @moduledoc "What a process of a scenario, or the code outside of all, does when it is told to."

  alias Conformance.{Names, Plain, Server, Show, Sup}

  @doc "Performs commands one after the other, and says how it goes on with the process."
  def perform(commands, who) do
    Enum.reduce_while(commands, :go_on, fn {label, command}, _ ->
      Conformance.Lane.jitter()

      case command(command, Map.put(who, :label, label)) do
        {:end, how} -> {:halt, how}
        :silent -> {:cont, :go_on}
        answer -> answer(who.me, label, answer) && {:cont, :go_on}
      end
    end)
  end

  @doc "Is at work for so long."
  def sleep(millis) do
    Names.due(millis)
    Process.sleep(millis)
  end

  defp answer(me, label, text), do: Names.note(["answer", label, me, text])

  # ---- anybody

  defp command(%{"do" => "spawn", "as" => name, "how" => how} = spawn, who) do
    body = Plain.body(name, spawn["fate"], spawn["trap"])

    pid =
      case how do
        "spawn" ->
          spawn(body)

        "spawnLink" when who.kind != :outside ->
          spawn_link(body)

        "spawnMonitor" when who.kind != :outside ->
          {pid, ref} = spawn_monitor(body)
          Names.put({:ref, ref}, spawn["ref"])
          Names.put({:monitor, spawn["ref"]}, {self(), ref})
          pid
      end

    Plain.begin(name, name, pid)
    name
  end

  defp command(%{"do" => "send", "to" => to, "text" => text}, who) do
    with_target(to, fn target ->
      try do
        send(target, {:text, who.me, text})
        "sent"
      rescue
        ArgumentError -> "nobody"
      end
    end)
  end

  defp command(%{"do" => "cast", "to" => to, "text" => text}, who) do
    with_target(to, fn target ->
      GenServer.cast(target, {:text, who.me, text})
      "sent"
    end)
  end

  defp command(%{"do" => "exit", "to" => to, "reason" => reason}, _) do
    with_pid(to, fn pid ->
      Process.exit(pid, Show.to_reason(reason))
      "sent"
    end)
  end

  defp command(%{"do" => "register", "name" => name, "to" => to}, _) do
    with_pid(to, fn pid ->
      try do
        if ending?(pid), do: Names.differs("ending") && raise(ArgumentError)
        Process.register(pid, Names.registered(name))
        "registered"
      rescue
        ArgumentError -> "refused"
      end
    end)
  end

  defp command(%{"do" => "unregister", "name" => name}, _) do
    Process.unregister(Names.registered(name))
    "unregistered"
  rescue
    ArgumentError -> "nobody"
  end

  defp command(%{"do" => "whereis", "name" => name}, _) do
    case Process.whereis(Names.registered(name)) do
      nil -> "nobody"
      pid -> Names.name_of(pid)
    end
  end

  defp command(%{"do" => "isAlive", "to" => to}, _) do
    with_pid(to, fn pid ->
      alive = Process.alive?(pid)
      if alive and ending?(pid), do: Names.differs("ending")
      to_string(alive and not ending?(pid))
    end)
  end

  defp command(%{"do" => "sendAfter", "as" => timer, "to" => to, "text" => text, "delay" => delay}, _) do
    with_target(to, fn target ->
      Names.due(delay)
      Names.put({:timer, timer}, Process.send_after(target, {:text, timer, text}, delay))
      timer
    end)
  end

  defp command(%{"do" => "cancelTimer", "timer" => timer}, _) do
    case Names.get({:timer, timer}) do
      nil -> "-"
      ref -> if Process.cancel_timer(ref), do: "cancelled", else: "too late"
    end
  end

  defp command(%{"do" => "server", "as" => name, "how" => how} = start, who) do
    argument = {name, start["server"], :alone}
    options = Sup.options(start["name"])

    result =
      case how do
        "start" -> GenServer.start(Server, argument, options)
        "startLink" -> GenServer.start_link(Server, argument, options)
        "startMonitor" -> start_monitor(start["name"], argument, start["ref"])
      end

    started(result, name, how, who, Names.pid_of(name))
  end

  defp command(%{"do" => "supervisor", "as" => name, "how" => how, "tree" => tree}, who) do
    result = if how == "start", do: Sup.start(name, tree), else: Sup.start_link(name, tree)

    with {:ok, pid} <- result do
      Names.born(name, name, pid)
      Names.watch(pid)
      Names.note(["tree", name, "up #{name}"])
    end

    started(result, name, how, who, Names.get({:starting, name}))
  end

  # ---- requests

  defp command(%{"do" => "call", "to" => to, "ask" => ask} = call, who) do
    with_target(to, fn target ->
      timeout = if call["timeout"] == 0, do: 5000, else: call["timeout"]
      Names.due(call["timeout"])

      if ending?(target) do
        Names.differs("ending")
        "noproc"
      else
        "replied " <> GenServer.call(target, {:ask, who.label, ask}, timeout)
      end
    end)
  catch
    :exit, {:timeout, _} ->
      Names.put({:gave_up, who.label}, true)
      "timeout"

    :exit, {reason, _} ->
      ended(reason)
  end

  defp command(%{"do" => "stop", "to" => to, "reason" => reason} = stop, _) do
    with_target(to, fn target ->
      Names.due(stop["timeout"])
      GenServer.stop(target, Show.to_reason(reason), if(stop["timeout"] == 0, do: :infinity, else: stop["timeout"]))
      "stopped"
    end)
  catch
    :exit, {:timeout, _} ->
      "timeout"

    :exit, {{actual, {:sys, :terminate, _}}, _} ->
      if Show.reason(actual) == reason, do: Names.differs("stopped-anyway") && "stopped", else: ended(actual)

    :exit, {actual, _} ->
      ended(actual)
  end

  defp command(%{"do" => "startChild", "to" => to, "child" => child}, _) do
    ask(to, fn sup ->
      case :supervisor.start_child(sup, Sup.spec(to, child)) do
        {:ok, :undefined} -> "ignored"
        {:ok, pid} -> "started #{Names.name_of(pid)}"
        {:error, :already_present} -> "already present"
        {:error, {:already_started, pid}} -> "already #{Names.name_of(pid)}"
        {:error, {{:already_started, pid}, _child}} -> "already #{Names.name_of(pid)}"
        {:error, {reason, _child}} -> Show.failure({:shutdown, {:failed_to_start_child, child["id"], reason}})
      end
    end)
  end

  defp command(%{"do" => "terminateChild", "to" => to, "id" => id}, _) do
    ask(to, fn sup -> result(:supervisor.terminate_child(sup, id)) end)
  end

  defp command(%{"do" => "restartChild", "to" => to, "id" => id}, _) do
    ask(to, fn sup ->
      case :supervisor.restart_child(sup, id) do
        {:ok, :undefined} -> "ignored"
        {:ok, pid} -> "started #{Names.name_of(pid)}"
        {:error, error} when error in [:not_found, :running, :restarting] -> "#{error}"
        {:error, reason} -> Show.failure({:shutdown, {:failed_to_start_child, id, reason}})
      end
    end)
  end

  defp command(%{"do" => "deleteChild", "to" => to, "id" => id}, _) do
    ask(to, fn sup -> result(:supervisor.delete_child(sup, id)) end)
  end

  defp command(%{"do" => "whichChildren", "to" => to}, _) do
    ask(to, fn sup ->
      Enum.map_join(:supervisor.which_children(sup), " ", fn {id, child, type, _} ->
        "#{id} #{type} #{if is_pid(child), do: Names.name_of(child), else: child};"
      end)
    end)
  end

  defp command(%{"do" => "countChildren", "to" => to}, _) do
    ask(to, fn sup ->
      counts = :supervisor.count_children(sup)
      Enum.map_join([:specs, :active, :supervisors, :workers], " ", &"#{counts[&1]}")
    end)
  end

  # ---- a process

  defp command(%{"do" => "link", "to" => to}, _) do
    with_pid(to, fn pid ->
      try do
        Process.link(pid)
        "linked"
      rescue
        error in ErlangError -> "#{error.original}"
      end
    end)
  end

  defp command(%{"do" => "unlink", "to" => to}, _) do
    with_pid(to, fn pid -> Process.unlink(pid) && "unlinked" end)
  end

  defp command(%{"do" => "monitor", "as" => name, "to" => to}, _) do
    with_target(to, fn target ->
      ref = Process.monitor(target)
      Names.put({:ref, ref}, name)
      Names.put({:monitor, name}, {self(), ref})
      name
    end)
  end

  defp command(%{"do" => "demonitor", "ref" => name, "flush" => flush}, _) do
    case Names.get({:monitor, name}) do
      {pid, ref} when pid == self() ->
        "#{Process.demonitor(ref, if(flush, do: [:flush, :info], else: [:info]))}"

      _ ->
        "-"
    end
  end

  defp command(%{"do" => "trap", "on" => on}, _), do: "#{Process.flag(:trap_exit, on)}"
  defp command(%{"do" => "exitSelf", "reason" => reason}, _), do: {:end, {:exit, Show.to_reason(reason)}}
  defp command(%{"do" => "crash"}, _), do: {:end, :crash}
  defp command(%{"do" => "finish"}, _), do: {:end, :finish}

  defp command(%{"do" => "take"}, %{kind: :plain} = who) do
    receive do
      message when not (is_tuple(message) and elem(message, 0) == :do) ->
        see(message, who)
        command(%{"do" => "take"}, who)
    after
      0 -> :silent
    end
  end

  defp command(%{"do" => "receive", "text" => text} = receive, %{kind: :plain} = who) do
    Names.due(receive["after"])

    receive do
      {:text, _, ^text} = message ->
        see(message, who)
        "received"
    after
      receive["after"] -> "timeout"
    end
  end

  # ---- a server

  defp command(%{"do" => "stopSelf", "reason" => reason}, %{kind: :server}) do
    {:end, {:stop, Show.to_reason(reason)}}
  end

  defp command(%{"do" => "busy", "millis" => millis}, %{kind: :server}) do
    sleep(millis)
    :silent
  end

  defp command(%{"do" => "answer"}, %{kind: :server}) do
    case Process.get(:froms) do
      [from | rest] ->
        GenServer.reply(from, "late")
        Process.put(:froms, rest)
        "answered"

      [] ->
        "-"
    end
  end

  # What makes no sense for who is told to do it.
  defp command(_, _), do: "-"

  # ---- helpers

  defp see(message, who) do
    {of, text} = Show.message(message)
    Names.note(["saw", who.me, of, text])
  end

  defp with_target("name " <> name, act), do: act.(Names.registered(name))
  defp with_target(ref, act), do: with_pid(ref, act)

  defp with_pid(ref, act) do
    case Names.pid_of(ref) do
      nil -> "-"
      pid -> act.(pid)
    end
  end

  defp ask(to, act) do
    with_pid(to, fn pid ->
      if ending?(pid), do: Names.differs("ending") && "noproc", else: act.(pid)
    end)
  catch
    :exit, {reason, _} -> ended(reason)
  end

  defp ended(:noproc), do: "noproc"
  defp ended(reason), do: "exited " <> Show.reason(reason)

  defp result(:ok), do: "ok"
  defp result({:error, error}), do: "#{error}"

  defp ending?(pid) when is_pid(pid), do: Names.get({:ending, pid}, false)
  defp ending?(name) when is_atom(name), do: (pid = Process.whereis(name)) != nil and ending?(pid)

  # ---- starting

  defp start_monitor(name, argument, ref_name) do
    result =
      case name do
        nil -> :gen_server.start_monitor(Server, argument, [])
        name -> :gen_server.start_monitor({:local, Names.registered(name)}, Server, argument, [])
      end

    with {:ok, {pid, ref}} <- result do
      Names.put({:ref, ref}, ref_name)
      Names.put({:monitor, ref_name}, {self(), ref})
      {:ok, pid}
    end
  end

  defp started({:ok, _}, name, _, _, _), do: "started #{name}"

  defp started(failed, _, how, who, pid) do
    consume_exit(failed, how, who, pid)

    case failed do
      :ignore -> "ignored"
      {:error, reason} -> Show.failure(reason)
    end
  end

  # From OTP 26 on who traps exits does not find the exit of what it could not start in its mailbox, too.
  defp consume_exit({:error, {:already_started, _}}, _, _, _), do: :ok

  defp consume_exit(_, "startLink", who, pid) when who.kind != :outside and is_pid(pid) do
    if Process.info(self(), :trap_exit) == {:trap_exit, true} do
      receive do
        {:EXIT, ^pid, _} -> Names.differs("failed-start")
      end
    end
  end

  defp consume_exit(_, _, _, _), do: :ok
end
