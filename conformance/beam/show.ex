defmodule Conformance.Show do
  @moduledoc "Reasons and messages, between the terms of Erlang and the words of a scenario."

  alias Conformance.Names

  @atoms %{
    "normal" => :normal,
    "shutdown" => :shutdown,
    "kill" => :kill,
    "killed" => :killed,
    "noproc" => :noproc
  }

  def to_reason("shutdown " <> term), do: {:shutdown, term}
  def to_reason(text), do: Map.get(@atoms, text, text)

  def reason({:shutdown, {:failed_to_start_child, _, _}}), do: "shutdown failed"
  def reason({:shutdown, term}) when is_binary(term), do: "shutdown " <> term
  def reason({%RuntimeError{message: who}, stack}) when is_list(stack), do: "crash " <> who
  def reason(text) when is_binary(text), do: text

  def reason(atom) when is_atom(atom) do
    case Enum.find(@atoms, fn {_, known} -> known == atom end) do
      {text, _} -> text
      nil -> inspect(atom)
    end
  end

  def reason(other), do: inspect(other)

  @doc "Why something did not start, and which child it was about."
  def failure({:shutdown, {:failed_to_start_child, id, why}}), do: failure(id, why)
  def failure({:already_started, pid}), do: "already #{Names.name_of(pid)}"
  def failure(why), do: "failed " <> reason(why)

  defp failure(path, {:shutdown, {:failed_to_start_child, id, why}}), do: failure("#{path}/#{id}", why)
  defp failure(path, {:already_started, pid}), do: "#{path} already #{Names.name_of(pid)}"
  defp failure(path, why), do: "#{path} failed #{reason(why)}"

  @doc "A message as an observer saw it: of whom, and what."
  def message({:text, from, text}), do: {from, text}
  def message({:EXIT, pid, why}), do: {Names.name_of(pid), "EXIT " <> reason(why)}

  def message({:DOWN, ref, :process, target, why}) do
    of =
      case target do
        {name, _node} -> "name " <> Names.unregistered(name)
        pid -> Names.name_of(pid)
      end

    {of, "DOWN #{Names.get({:ref, ref})} #{reason(why)}"}
  end

  def message(other), do: {"?", inspect(other)}

  @doc "JSON of lists and texts."
  def json(list) when is_list(list), do: [?[, list |> Enum.map(&json/1) |> Enum.intersperse(?,), ?]]

  def json(text) when is_binary(text) do
    [?", text |> String.replace("\\", "\\\\") |> String.replace("\"", "\\\"") |> String.replace("\n", "\\n"), ?"]
  end

  def json(number) when is_integer(number), do: Integer.to_string(number)
end
