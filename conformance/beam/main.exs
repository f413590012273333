# Runs scenarios: a line of standard input is one, as an Erlang term; a line of standard output is its trace, as JSON.
files = for file <- ~w(names show subjects commands lane main), do: Path.join(__DIR__, "#{file}.ex")
{:ok, _, _} = Kernel.ParallelCompiler.compile(files)

# A process that waits for its code to be loaded would seem to be done.
for app <- [:kernel, :stdlib, :elixir], {:ok, modules} = :application.get_key(app, :modules), do: :code.ensure_modules_loaded(modules)

# Nothing is logged but what supervisors tell.
for id <- :logger.get_handler_ids(), do: :logger.remove_handler(id)
:logger.set_primary_config(:level, :none)
:logger.set_module_level(:supervisor, :error)
:logger.add_handler(:conformance, Conformance.Sup, %{})
:ets.new(:lanes, [:set, :public, :named_table])

# How many scenarios run at the same time: most of the time each of them waits.
System.argv() |> hd() |> String.to_integer() |> Conformance.Main.start()
