namespace Quorate;

/// <summary>What a member or a question to it could not do.</summary>
public class QuorateException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>A setting, an address or a data directory cannot be used; nothing was touched. One clear line.</summary>
public sealed class QuorateConfigurationException(string message, Exception? inner = null) : QuorateException(message, inner);
