using System.Globalization;
using System.Text;

namespace Millrace.Sqlite;

// The migrations as text for people who apply them by other means: what MigrateAsync would do, each in a transaction of its own.
internal sealed partial class SqliteStore
{
    /// <summary>The number of the newest migration.</summary>
    internal static int NewestVersion => (int)Migrations().Max(migration => migration.Number);

    /// <summary>The statements that bring a schema from one version to another. The same text for the same arguments.</summary>
    /// <param name="from">The version it has; 0 for none.</param>
    /// <param name="to">The version it shall have.</param>
    internal static string Script(int from, int to)
    {
        var script = new StringBuilder();
        foreach (var (number, name) in Migrations().Where(migration => migration.Number > from && migration.Number <= to))
        {
            script.Append(CultureInfo.InvariantCulture, $"-- {name}\nbegin immediate;\n");
            if (number == 1)
                script.Append(CultureInfo.InvariantCulture, $"{MigrationSql};\n");
            script.Append(CultureInfo.InvariantCulture, $"\n{ReadMigration(name).Trim()}\n\n");
            script.Append(CultureInfo.InvariantCulture, $"insert into millrace_migration (number, name, applied_at) values ({number}, '{name}', cast(unixepoch('subsec') * 1000000 as integer));\ncommit;\n\n");
        }

        return script.ToString();
    }
}
