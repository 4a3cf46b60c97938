using System.Text.Json.Serialization;
using Millrace;

namespace FolderIndex.Jobs;

/// <summary>Counts the words of one file. Safe to repeat: path and content hash say whether there is anything to do.</summary>
[Job("indexFile", MaxAttempts = 5)]
public sealed record IndexFile(string Path);

/// <summary>What became of a file. The job's result, kept with its attempt: the report is counted from it.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<FileOutcome>))]
public enum FileOutcome
{
    /// <summary>Its words are in the index now.</summary>
    Indexed,

    /// <summary>They were before.</summary>
    Unchanged,

    /// <summary>No text: see <see cref="TextFile"/>.</summary>
    Binary,

    /// <summary>More than <see cref="TextFile.LargestSizeInBytes"/>.</summary>
    TooLarge,

    /// <summary>This process may not read it, or its disk gave an error.</summary>
    Unreadable,

    /// <summary>It was there when the folder was listed, and is gone.</summary>
    Vanished,
}

internal sealed class IndexFileJob(IndexDatabase index) : IJob<IndexFile, FileOutcome>
{
    public async Task<FileOutcome> RunAsync(JobContext<IndexFile> job, CancellationToken cancellationToken)
    {
        var path = job.Data.Path;
        var indexed = await index.FindContentHashAsync(path, cancellationToken);
        var (file, problem) = TextFile.Read(path);

        if (file is null)
        {
            job.Log.LogDebug("{Path} is not indexed: {Problem}", path, problem);
            if (indexed is not null)
                await job.WithTransactionAsync((transaction, token) => index.RemoveAsync(transaction, [path], token), cancellationToken);
            return problem;
        }

        if (file.ContentHash == indexed)
            return FileOutcome.Unchanged;

        // Between the look above and this write another run of this job may have been here: then the unique path makes the write change nothing.
        var words = file.CountWords();
        await job.WithTransactionAsync((transaction, token) => index.SaveAsync(transaction, path, file, words, token), cancellationToken);
        return FileOutcome.Indexed;
    }
}
