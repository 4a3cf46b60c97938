using System.Data.Common;
using System.Text.Json;
using Millrace;
using Npgsql;

namespace FolderIndex;

/// <summary>The application's own tables, in the database that Millrace uses too. The same SQL for SQLite and PostgreSQL but for two words.</summary>
internal sealed class IndexDatabase([FromKeyedServices("millrace")] DbDataSource database, TimeProvider time)
{
    private readonly string identity = database is NpgsqlDataSource ? "bigint generated always as identity primary key" : "integer primary key";
    private readonly string pairs = database is NpgsqlDataSource ? "json_each_text(@words::json)" : "json_each(@words)";

    private string CreateSql => $"""
        create table if not exists document (
            id              {identity},
            path            text        not null unique,
            content_hash    text        not null,
            revision        integer     not null default 1,
            words           bigint      not null,
            bytes           bigint      not null,
            indexed_at      timestamptz not null
        );
        create table if not exists word (
            document        bigint      not null references document (id) on delete cascade,
            word            text        not null,
            count           integer     not null,
            primary key (document, word)
        );
        create table if not exists inbox (
            id              integer     primary key,
            address         text        not null
        );
        """;

    public Task CreateAsync() => database.WithTransactionAsync((transaction, cancellationToken) => transaction.ExecuteAsync(CreateSql, cancellationToken));

    private const string SaveInboxSql = "insert into inbox (id, address) values (1, @address) on conflict (id) do update set address = excluded.address";

    /// <summary>Says where this application takes reports, to jobs that run in other processes.</summary>
    public Task SaveInboxAsync(string address) =>
        database.WithTransactionAsync((transaction, cancellationToken) => transaction.ExecuteAsync(SaveInboxSql, cancellationToken, ("address", address)));

    private const string FindInboxSql = "select address from inbox";

    /// <summary>Where reports are taken.</summary>
    public async Task<string> FindInboxAsync(CancellationToken cancellationToken) =>
        (await database.QueryAsync(FindInboxSql, row => row.GetString(0), cancellationToken)).SingleOrDefault()
        ?? throw new InvalidOperationException("The web server does not listen yet.");

    private const string FindContentHashSql = "select content_hash from document where path = @path";

    /// <summary>What is stored for a path; null for nothing.</summary>
    public async Task<string?> FindContentHashAsync(string path, CancellationToken cancellationToken) =>
        (await database.QueryAsync(FindContentHashSql, row => row.GetString(0), cancellationToken, ("path", path))).SingleOrDefault();

    // No row comes back when this very content is stored already: the unique path decides, not the look before.
    private const string SaveDocumentSql = """
        insert into document (path, content_hash, words, bytes, indexed_at)
        values (@path, @content_hash, @words, @bytes, @now)
        on conflict (path) do update
            set content_hash = excluded.content_hash,
                revision = document.revision + 1,
                words = excluded.words,
                bytes = excluded.bytes,
                indexed_at = excluded.indexed_at
            where document.content_hash <> excluded.content_hash
        returning id, revision
        """;

    private const string RemoveWordsSql = "delete from word where document = @document";

    private string SaveWordsSql => $"""
        insert into word (document, word, count)
        select @document, key, cast(value as integer)
        from {pairs}
        """;

    /// <summary>Stores a file and its words in place of what was stored for its path.</summary>
    public async Task SaveAsync(DbTransaction transaction, string path, TextFile file, IReadOnlyDictionary<string, int> words, CancellationToken cancellationToken)
    {
        var saved = await transaction.QueryAsync(
            SaveDocumentSql, row => (Id: row.GetInt64(0), Revision: row.GetInt32(1)), cancellationToken,
            ("path", path), ("content_hash", file.ContentHash), ("words", words.Values.Sum(count => (long)count)), ("bytes", (long)file.SizeInBytes), ("now", time.GetUtcNow()));
        foreach (var (id, revision) in saved)
        {
            if (revision > 1)
                await transaction.ExecuteAsync(RemoveWordsSql, cancellationToken, ("document", id));
            await transaction.ExecuteAsync(SaveWordsSql, cancellationToken, ("document", id), ("words", JsonSerializer.Serialize(words)));
        }
    }

    private const string RemoveSql = "delete from document where path = @path";

    public async Task RemoveAsync(DbTransaction transaction, IReadOnlyCollection<string> paths, CancellationToken cancellationToken)
    {
        foreach (var path in paths)
            await transaction.ExecuteAsync(RemoveSql, cancellationToken, ("path", path));
    }

    private const string FindPathsSql = """
        select path
        from document
        where substr(path, 1, length(@folder)) = @folder
        """;

    /// <summary>What is indexed below a folder.</summary>
    public Task<List<string>> FindPathsAsync(string folder, CancellationToken cancellationToken) =>
        database.QueryAsync(FindPathsSql, row => row.GetString(0), cancellationToken, ("folder", Below(folder)));

    private const string CountSql = """
        select count(*), coalesce(sum(words), 0)
        from document
        where substr(path, 1, length(@folder)) = @folder
        """;

    /// <summary>How many files below a folder are indexed, and how many words they have.</summary>
    public async Task<(long Files, long Words)> CountAsync(string folder, CancellationToken cancellationToken) =>
        (await database.QueryAsync(CountSql, ReadCount, cancellationToken, ("folder", Below(folder))))[0];

    /// <inheritdoc cref="CountAsync(string, CancellationToken)"/>
    public async Task<(long Files, long Words)> CountAsync(DbTransaction transaction, string folder, CancellationToken cancellationToken) =>
        (await transaction.QueryAsync(CountSql, ReadCount, cancellationToken, ("folder", Below(folder))))[0];

    private static (long Files, long Words) ReadCount(DbDataReader row) => (row.GetInt64(0), (long)row.GetDecimal(1));

    private static string Below(string folder) => Path.EndsInDirectorySeparator(folder) ? folder : folder + Path.DirectorySeparatorChar;
}
