using System.Globalization;
using System.Text;

namespace Millrace.Postgres;

// The migrations as text for people who apply them by other means: what MigrateAsync would do, each in a transaction of its own.
internal sealed partial class PostgresStore
{
    /// <summary>The number of the newest migration.</summary>
    internal static int NewestVersion => Migrations().Count;

    /// <summary>The statements that bring a schema from one version to another. The same text for the same arguments.</summary>
    /// <param name="schema">Its name, which is an allowed one.</param>
    /// <param name="from">The version it has; 0 for none.</param>
    /// <param name="to">The version it shall have.</param>
    internal static string Script(string schema, int from, int to)
    {
        var script = new StringBuilder();
        var migrations = Migrations();
        for (var number = from + 1; number <= to; number++)
        {
            var (name, text) = migrations[number - 1];
            script.Append(CultureInfo.InvariantCulture, $"-- {name}\nbegin;\nset local lock_timeout = '2s';\nselect pg_advisory_xact_lock(hashtextextended('millrace {schema}', 7317));\n");
            if (number == 1)
                script.Append(CultureInfo.InvariantCulture, $"create schema if not exists \"{schema}\";\n{CreateRecord.Replace("millrace.", $"\"{schema}\".", StringComparison.Ordinal)};\n");
            script.Append(CultureInfo.InvariantCulture, $"set local search_path to \"{schema}\";\n\n{text.Replace(":\"view\"", "public", StringComparison.Ordinal).Trim()}\n\n");
            script.Append(CultureInfo.InvariantCulture, $"insert into \"{schema}\".migration (version, name, applied) values ({number}, '{name}', clock_timestamp());\ncommit;\n\n");
        }

        return script.ToString();
    }

    /// <summary>Drops the schema with everything in it. For schemas that were made for a measurement alone.</summary>
    internal Task DropAsync(CancellationToken cancellationToken) => WorkAsync("drop the schema", async session =>
        await ExecuteAsync(session.Connection, $"drop schema if exists {schema} cascade", [], cancellationToken).ConfigureAwait(false), cancellationToken);
}
