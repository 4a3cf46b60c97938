namespace Millrace;

/// <summary>Marks a member of a job's data whose value no dashboard, command line or export shows. It is stored as it is: anybody who can read the database can read it.</summary>
/// <remarks>Members whose names look like a password's, a token's or a secret's are treated so without the mark.</remarks>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Field | AttributeTargets.Parameter)]
public sealed class SensitiveAttribute : Attribute;
