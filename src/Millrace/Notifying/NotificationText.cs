using System.Globalization;
using System.Text;
using Millrace.Storage;
using Millrace.Working;

namespace Millrace.Notifying;

/// <summary>Checks and cleans what a handler says to a user. The same for the engine and for the testing package.</summary>
internal static class NotificationText
{
    public const int MaxSizeInBytes = 4 * 1024;

    /// <exception cref="ArgumentException">It is too long. A notification is not cut: half a message may say the opposite.</exception>
    public static string Check(Claim claim, long userId, string message)
    {
        ArgumentNullException.ThrowIfNull(message);
        var sizeInBytes = Encoding.UTF8.GetByteCount(message);
        if (sizeInBytes > MaxSizeInBytes)
        {
            throw new ArgumentException(
                string.Create(CultureInfo.InvariantCulture,
                    $"The notification of user {userId} by job {claim.JobId} ({claim.Type}, attempt {claim.Attempt}) has {sizeInBytes:N0} bytes in UTF-8; at most {MaxSizeInBytes:N0} are allowed. It was not raised. Keep what is long where the user can fetch it, and tell where that is."),
                nameof(message));
        }
        // Three bytes at most for each one that is replaced by something visible.
        return Sanitiser.Text(message, 3 * MaxSizeInBytes);
    }
}
