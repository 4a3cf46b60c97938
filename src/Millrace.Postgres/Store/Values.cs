using Millrace.Storage;
using Npgsql;
using NpgsqlTypes;

namespace Millrace.Postgres;

/// <summary>Values on their way to the database and back, each with its type: a statement that is prepared must never depend on what a value happens to be. Seen in every file of the project.</summary>
internal static class Values
{
    public static NpgsqlParameter At(string name, DateTimeOffset? value) =>
        new(name, NpgsqlDbType.TimestampTz) { Value = value is { } at ? at.UtcDateTime : DBNull.Value };

    public static NpgsqlParameter Text(string name, string? value) => new(name, NpgsqlDbType.Text) { Value = (object?)value ?? DBNull.Value };

    public static NpgsqlParameter Long(string name, long? value) => new(name, NpgsqlDbType.Bigint) { Value = (object?)value ?? DBNull.Value };

    public static NpgsqlParameter Int(string name, int value) => new(name, NpgsqlDbType.Integer) { Value = value };

    public static NpgsqlParameter Short(string name, short? value) => new(name, NpgsqlDbType.Smallint) { Value = (object?)value ?? DBNull.Value };

    public static NpgsqlParameter Bool(string name, bool value) => new(name, NpgsqlDbType.Boolean) { Value = value };

    public static NpgsqlParameter Double(string name, double? value) => new(name, NpgsqlDbType.Double) { Value = (object?)value ?? DBNull.Value };

    public static NpgsqlParameter Uuid(string name, Guid? value) => new(name, NpgsqlDbType.Uuid) { Value = (object?)value ?? DBNull.Value };

    public static NpgsqlParameter Texts(string name, string?[] values) => new(name, NpgsqlDbType.Array | NpgsqlDbType.Text) { Value = values };

    public static NpgsqlParameter Bytes(string name, byte[][] values) => new(name, NpgsqlDbType.Array | NpgsqlDbType.Bytea) { Value = values };

    public static NpgsqlParameter Longs(string name, long[] values) => new(name, NpgsqlDbType.Array | NpgsqlDbType.Bigint) { Value = values };

    public static NpgsqlParameter Longs(string name, long?[] values) => new(name, NpgsqlDbType.Array | NpgsqlDbType.Bigint) { Value = values };

    public static NpgsqlParameter Ints(string name, int[] values) => new(name, NpgsqlDbType.Array | NpgsqlDbType.Integer) { Value = values };

    public static NpgsqlParameter Shorts(string name, short[] values) => new(name, NpgsqlDbType.Array | NpgsqlDbType.Smallint) { Value = values };

    public static NpgsqlParameter Bools(string name, bool[] values) => new(name, NpgsqlDbType.Array | NpgsqlDbType.Boolean) { Value = values };

    public static NpgsqlParameter Uuids(string name, Guid[] values) => new(name, NpgsqlDbType.Array | NpgsqlDbType.Uuid) { Value = values };

    public static NpgsqlParameter Times(string name, DateTime[] values) => new(name, NpgsqlDbType.Array | NpgsqlDbType.TimestampTz) { Value = values };

    public static NpgsqlParameter Times(string name, DateTime?[] values) => new(name, NpgsqlDbType.Array | NpgsqlDbType.TimestampTz) { Value = values };

    public static string? TextAt(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetString(column);

    public static DateTimeOffset TimeAt(NpgsqlDataReader reader, int column) => new(reader.GetDateTime(column), TimeSpan.Zero);

    public static DateTimeOffset? TimeOrNullAt(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : TimeAt(reader, column);

    public static long? LongOrNullAt(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetInt64(column);

    public static Guid? UuidAt(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetGuid(column);

    /// <summary>Since when, by whom, why and until when, in four columns.</summary>
    public static Pause? PauseAt(NpgsqlDataReader reader, int column) => reader.IsDBNull(column)
        ? null
        : new Pause(TimeAt(reader, column), TextAt(reader, column + 1), TextAt(reader, column + 2), TimeOrNullAt(reader, column + 3));
}
