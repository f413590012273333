# Elixir's own Registry: a process for each name, which registers itself with a number, and is looked up by its name.
defmodule :names do
  # A function to time, which adds up the numbers that were found with the right process, and one that sees to it that
  # nothing else is registered.
  def prepare(n) do
    {:ok, registry} = Registry.start_link(keys: :unique, name: :names, partitions: 1)
    registered = :atomics.new(1, [])
    parent = self()

    owners =
      for number <- 1..n do
        name = "name-#{number}"
        {name, spawn(fn -> own(name, number, fn -> count(registered, n, parent) end) end)}
      end

    run = fn ->
      Enum.each(owners, fn {_, pid} -> send(pid, :register) end)
      receive do: (:registered -> sum(owners, 0))
    end

    verify = fn sum ->
      ^n = Registry.count(:names)
      # Whoever is registered is linked to it, and ends with it.
      Supervisor.stop(registry)
      sum
    end

    {run, verify}
  end

  defp own(name, number, registered) do
    receive do: (:register -> {:ok, _} = Registry.register(:names, name, number))
    registered.()
    receive do: (:never -> :ok)
  end

  # The last one tells.
  defp count(registered, n, parent) do
    if :atomics.add_get(registered, 1, 1) == n, do: send(parent, :registered)
  end

  defp sum([], sum), do: sum

  defp sum([{name, pid} | owners], sum) do
    [{^pid, number}] = Registry.lookup(:names, name)
    sum(owners, sum + number)
  end
end
