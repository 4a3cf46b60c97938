namespace Millrace.Sqlite;

/// <summary>On what kind of file system a file lies, where the system tells (Linux).</summary>
internal static class Mounts
{
    private static readonly string[] NetworkKinds = ["nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "glusterfs", "lustre", "ncpfs", "davfs", "fuse.sshfs", "fuse.glusterfs", "fuse.rclone", "fuse.s3fs"];

    public static bool IsNetwork(string fileSystem) => NetworkKinds.Contains(fileSystem, StringComparer.Ordinal);

    /// <summary>Null where that is not known.</summary>
    public static string? FileSystemOf(string path)
    {
        try
        {
            return File.Exists("/proc/mounts") ? FileSystemOf(path, File.ReadLines("/proc/mounts")) : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The deepest mount above the path; of several on one place the last, which hides the others.</summary>
    internal static string? FileSystemOf(string path, IEnumerable<string> mounts)
    {
        var (longest, kind) = (-1, default(string));
        foreach (var fields in mounts.Select(mount => mount.Split(' ')).Where(fields => fields.Length >= 3))
        {
            // A space in a path is written as its octal code.
            var place = fields[1].Replace("\\040", " ", StringComparison.Ordinal).TrimEnd('/');
            if (place.Length >= longest && path.StartsWith($"{place}/", StringComparison.Ordinal))
                (longest, kind) = (place.Length, fields[2]);
        }

        return kind;
    }
}
