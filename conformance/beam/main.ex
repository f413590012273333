defmodule Conformance.Main do
  @moduledoc "Reads scenarios, runs some of them at the same time, and writes what was seen."

  alias Conformance.{Lane, Show}

  def start(lanes), do: read(Enum.to_list(1..lanes), lanes)

  defp read(free, lanes) do
    case IO.read(:stdio, :line) do
      :eof ->
        await(free, lanes)

      line ->
        {:ok, tokens, _} = :erl_scan.string(String.to_charlist(line))
        {:ok, {id, seed, steps}} = :erl_parse.parse_term(tokens)
        [lane | rest] = if free == [], do: [freed()], else: free
        main = self()

        spawn(fn ->
          trace = attempt(steps, lane, seed)
          Process.group_leader(self(), Process.info(main, :group_leader) |> elem(1))
          IO.write([Show.json([id, trace]), ?\n])
          send(main, {:done, lane})
        end)

        read(rest, lanes)
    end
  end

  defp attempt(steps, lane, seed) do
    Lane.run(steps, lane, seed)
  rescue
    error -> "failed: " <> Exception.format(:error, error, __STACKTRACE__)
  end

  defp freed do
    receive do
      {:done, lane} -> lane
    end
  end

  defp await(free, lanes) when length(free) == lanes, do: :ok
  defp await(free, lanes), do: await([freed() | free], lanes)
end
