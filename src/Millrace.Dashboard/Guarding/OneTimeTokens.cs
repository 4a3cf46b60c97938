using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Millrace.Dashboard.Guarding;

/// <summary>
/// Random tokens of 256 bits of which only the hash is kept, each good for some time and, if asked so, for one use. Compared in constant time. Guesses are counted: after ten wrong ones in a minute every token is refused for the rest of it.
/// </summary>
internal sealed class OneTimeTokens(TimeProvider time, TimeSpan life, int most)
{
    private const int SizeInBytes = 32;
    private const int MostGuesses = 10;

    private static readonly TimeSpan guessing = TimeSpan.FromMinutes(1);

    private readonly Lock gate = new();
    private readonly List<(byte[] Hash, DateTimeOffset Expires)> issued = [];
    private DateTimeOffset minuteEnds;
    private int guesses;

    public string Issue()
    {
        var token = Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(SizeInBytes));
        lock (gate)
        {
            DropOld();
            if (issued.Count >= most)
                issued.RemoveAt(0);
            issued.Add((HashOf(token), time.GetUtcNow() + life));
        }

        return token;
    }

    /// <summary>Whether it is good, and from now on no more.</summary>
    public bool Take(string token) => Find(token, take: true);

    /// <summary>Whether it is good.</summary>
    public bool Knows(string token) => Find(token, take: false);

    private bool Find(string token, bool take)
    {
        var hash = HashOf(token);
        lock (gate)
        {
            DropOld();
            if (IsGuessing())
                return false;
            var place = -1;
            // All of them, so that the time says nothing.
            for (var i = 0; i < issued.Count; i++)
            {
                if (CryptographicOperations.FixedTimeEquals(issued[i].Hash, hash))
                    place = i;
            }

            if (place < 0)
                guesses++;
            else if (take)
                issued.RemoveAt(place);
            return place >= 0;
        }
    }

    private bool IsGuessing()
    {
        var now = time.GetUtcNow();
        if (now >= minuteEnds)
            (minuteEnds, guesses) = (now + guessing, 0);
        return guesses >= MostGuesses;
    }

    private void DropOld()
    {
        var now = time.GetUtcNow();
        issued.RemoveAll(one => one.Expires <= now);
    }

    private static byte[] HashOf(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));
}
